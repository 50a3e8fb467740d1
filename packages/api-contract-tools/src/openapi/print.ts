/** TypeScript code. If it is too long for one line, {@link print} adds line breaks. */
export type Code = string | Block | Property

/** The code of a function call, a list or an object: an opening bracket, items and a closing bracket. */
interface Block {
  readonly open: string
  readonly items: readonly Code[]
  readonly close: string
}

interface Property {
  readonly key: string
  readonly value: Code
}

const width = 100

export const call = (name: string, ...args: Code[]): Code => ({ open: `${name}(`, items: args, close: ')' })
export const list = (items: readonly Code[]): Code => ({ open: '[', items, close: ']' })
export const object = (members: readonly (readonly [name: string, value: Code])[]): Code => ({
  open: '{',
  items: members.map(([name, value]) => property(name, value)),
  close: '}',
})

export const property = (name: string, value: Code): Code => ({ key: keyOf(name), value })

function keyOf(name: string): string {
  // The key `__proto__` is written in brackets, because a plain `__proto__` key would set the object's prototype.
  if (name === '__proto__') return `['__proto__']`
  return /^([A-Za-z_$][\w$]*|0|[1-9]\d{0,8})$/.test(name) ? name : quote(name)
}

/** Formats text as a string literal in single quotes. */
export function quote(text: string): string {
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"')
    .replaceAll("'", String.raw`\'`)
  return `'${escaped.replaceAll('\u2028', String.raw`\u2028`).replaceAll('\u2029', String.raw`\u2029`)}'`
}

/** Formats text as a line comment. Line breaks are removed because they would end the comment. */
export function comment(text: string): string {
  return `// ${text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()}`
}

/**
 * Formats code, with line breaks if the code is too long for one line.
 * @param indent the indentation of the line, in characters
 * @param before the number of characters between the indentation and the code
 */
export function print(code: Code, indent: number, before: number): string {
  if (typeof code === 'string') return code
  if ('key' in code) return `${code.key}: ${print(code.value, indent, before + code.key.length + 2)}`
  const flat = inline(code)
  if (indent + before + flat.length < width || code.items.length === 0) return flat
  const [only] = code.items
  const isHugged =
    code.items.length === 1 && code.open.endsWith('(') && typeof only === 'object' && 'open' in only
  if (isHugged) return `${code.open}${print(only, indent, before + code.open.length)}${code.close}`
  const inner = indent + 2
  const lines = code.items.map(item => `${' '.repeat(inner)}${print(item, inner, 0)},`)
  return `${code.open}\n${lines.join('\n')}\n${' '.repeat(indent)}${code.close}`
}

function inline(code: Code): string {
  if (typeof code === 'string') return code
  if ('key' in code) return `${code.key}: ${inline(code.value)}`
  const items = code.items.map(inline).join(', ')
  return code.open === '{' && items !== '' ? `{ ${items} }` : code.open + items + code.close
}
