/** `[name, value, name, value]` → `[[name, value], …]` */
export function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((name, index) =>
    index % 2 === 0 ? [[name, flat[index + 1] ?? ''] as [string, string]] : [],
  )
}

/** Returns the first header with this name, if any. */
export function valueOf(headers: readonly (readonly [string, string])[], name: string): string {
  return headers.find(([header]) => header.toLowerCase() === name)?.[1] ?? ''
}
