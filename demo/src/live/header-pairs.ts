/** `[name, value, name, value]` → `[[name, value], …]` */
export function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, index) =>
    index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as [string, string]] : [],
  )
}

/** The first header of this name, or nothing. */
export function valueOf(headers: readonly (readonly [string, string])[], name: string): string {
  return headers.find(([header]) => header.toLowerCase() === name)?.[1] ?? ''
}
