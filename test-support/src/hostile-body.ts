import { brotliCompressSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'

/** A response with an encoded body. */
export interface HostileBody {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`

/** Invalid values that replace the correct value of a member. */
const wrong: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1e300, '', ' ', [], {}, [null], [[]], { a: null }),
  fc.constantFrom<unknown>('\0', 'é😀', '\uD800', 'x'.repeat(100_000), ['x', 5], '__proto__', 'javascript:0'),
  fc.constantFrom<unknown>('http://127.0.0.1:1/', 'file:///etc/passwd', '//evil', 'https://[', '../..'),
  fc.jsonValue({ maxDepth: 3 }),
  fc.double(),
)

type Mutation =
  | { readonly do: 'remove' | 'twice' | 'wrap' | 'rename' }
  | { readonly do: 'replace'; readonly by: unknown }
  | { readonly do: 'add'; readonly name: string; readonly value: unknown }

const mutation: fc.Arbitrary<{ readonly at: number; readonly mutation: Mutation }> = fc.record({
  at: fc.nat({ max: 40 }),
  mutation: fc.oneof(
    fc.constantFrom<Mutation>({ do: 'remove' }, { do: 'twice' }, { do: 'wrap' }, { do: 'rename' }),
    wrong.map(by => ({ do: 'replace' as const, by })),
    fc.record({
      do: fc.constant('add' as const),
      name: fc.constantFrom('__proto__', 'constructor', 'toString', 'error', 'active', 'cnf', '', 'x'),
      value: wrong,
    }),
  ),
})

/**
 * Serializes a value and changes the member at the given position. Positions count the members at all levels. Each
 * member is written as text, because a name may occur twice.
 */
function write(value: Json, count: { left: number }, mutation: Mutation): string {
  if (Array.isArray(value)) return `[${value.map(item => write(item as Json, count, mutation)).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).flatMap(([name, member]) => {
    const written = `${JSON.stringify(name)}:${write(member, count, mutation)}`
    count.left -= 1
    return count.left === -1 ? mutate(name, written, mutation) : [written]
  })
  return `{${members.join()}}`
}

function mutate(name: string, written: string, mutation: Mutation): readonly string[] {
  const value = written.slice(JSON.stringify(name).length + 1)
  switch (mutation.do) {
    case 'remove':
      return []
    case 'twice':
      return [written, `${JSON.stringify(name)}:null`]
    case 'wrap':
      return [`${JSON.stringify(name)}:[${value}]`]
    case 'rename':
      return [`${JSON.stringify(`${name} `)}:${value}`]
    case 'replace':
      return [`${JSON.stringify(name)}:${JSON.stringify(mutation.by) ?? 'null'}`]
    default:
      return [written, `${JSON.stringify(mutation.name)}:${JSON.stringify(mutation.value) ?? 'null'}`]
  }
}

const texts: fc.Arbitrary<(valid: Json) => string> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(mutation, { minLength: 1, maxLength: 1 }).map(([change]) => (valid: Json) => {
      const { at, mutation: how } = change as { at: number; mutation: Mutation }
      return write(valid, { left: at }, how)
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<(valid: Json) => string>(
      () => '',
      () => ' ',
      () => 'null',
      () => '[]',
      () => '{}',
      () => '"text"',
      () => '<!doctype html><title>Sign in</title>',
      () => deep(20_000),
      () => `{"keys":${deep(5_000)}}`,
      valid => JSON.stringify(valid).slice(0, -1),
      valid => `${JSON.stringify(valid)}}`,
      valid => JSON.stringify([valid]),
      valid => ' '.repeat(200_000) + JSON.stringify(valid),
    ),
  },
  { weight: 1, arbitrary: fc.json({ maxDepth: 4 }).map(text => () => text) },
)

type Encode = (text: string) => Pick<HostileBody, 'headers' | 'bytes'>

const plain: Encode = text => ({ headers: {}, bytes: Buffer.from(text) })
const encodings: fc.Arbitrary<Encode> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(plain) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Encode>(
      text => ({ headers: {}, bytes: Buffer.from(`\uFEFF${text}`) }),
      text => ({ headers: {}, bytes: Buffer.from(text, 'utf16le') }),
      text => ({ headers: {}, bytes: Buffer.concat([Buffer.from([0xff, 0xfe, 0x80]), Buffer.from(text)]) }),
      text => ({ headers: { 'content-encoding': 'gzip' }, bytes: gzipSync(text) }),
      text => ({ headers: { 'content-encoding': 'br' }, bytes: brotliCompressSync(text) }),
      text => ({ headers: { 'content-encoding': 'gzip, gzip' }, bytes: gzipSync(gzipSync(text)) }),
      text => ({ headers: { 'content-encoding': 'gzip' }, bytes: gzipSync(text).subarray(0, -5) }),
      text => ({ headers: { 'content-encoding': 'gzip' }, bytes: Buffer.from(text) }),
      text => ({ headers: { 'content-encoding': 'zstd' }, bytes: Buffer.from(text) }),
      () => ({ headers: { 'content-encoding': 'gzip' }, bytes: gzipSync(Buffer.alloc(20_000_000, 32)) }),
      text => ({ headers: { 'content-type': 'text/html' }, bytes: Buffer.from(text) }),
      text => ({ headers: { 'content-type': 'é;;' }, bytes: Buffer.from(text) }),
      text => ({ headers: { 'content-length': '5' }, bytes: Buffer.from(text).subarray(0, 5) }),
      text => ({ headers: { 'www-authenticate': 'Bearer error="é, x' }, bytes: Buffer.from(text) }),
    ),
  },
)

const statuses = fc.oneof(
  { weight: 8, arbitrary: fc.constant(200) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(201, 204, 206, 301, 307, 400, 401, 403, 404, 418, 429, 500, 503, 599),
  },
)

/** Responses that a broken or hostile server sends instead of a valid response. */
export const hostileBody: fc.Arbitrary<(valid: Json) => HostileBody> = fc
  .tuple(texts, encodings, statuses)
  .map(([text, encode, status]) => valid => {
    const { headers, bytes } = encode(text(valid))
    const usual = { 'content-type': 'application/json' }
    return { status, headers: { ...usual, ...headers }, bytes }
  })
