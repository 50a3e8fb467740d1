/** Names that a generated constant or type cannot have: keywords, built-in types, and names that the file imports. */
const reserved = new Set(
  `abstract any arguments as async await bigint boolean break case catch class const continue debugger declare default
  defineApi delete do else enum eval export extends false finally for from function get if implements import in infer
  instanceof interface is keyof let module namespace never new null number object of package private protected public
  readonly require return set static Static string super switch symbol this throw true try Type type typeof undefined
  unique unknown using var void while with yield Infinity NaN globalThis`.split(/\s+/),
)

/** Maps each name in the document to a unique TypeScript identifier. Keeps the order of the names. */
export function uniqueNames(
  originals: readonly string[],
  taken: Iterable<string> = [],
): ReadonlyMap<string, string> {
  const used = new Set<string>(taken)
  const names = new Map<string, string>()
  for (const original of originals) {
    const wanted = toIdentifier(original)
    let name = reserved.has(wanted) ? `${wanted}_` : wanted
    for (let count = 2; used.has(name); count++) name = `${wanted}_${count}`
    used.add(name)
    names.set(original, name)
  }
  return names
}

function toIdentifier(original: string): string {
  const name = original.replaceAll(/[^\w$]+/g, '_').replace(/^_+(?=.)|_+$/g, '')
  return /^[A-Za-z_$]/.test(name) ? name : `_${name}`
}

/** `Receipt service` → `receiptService` */
export function toCamelCase(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter(word => word !== '')
  return words
    .map((word, index) => {
      const [first = '', ...rest] = word
      return (index === 0 ? first.toLowerCase() : first.toUpperCase()) + rest.join('')
    })
    .join('')
}
