import type { IncomingMessage } from 'node:http'
import fc from 'fast-check'
import t from 'tap'
import { Refusal } from '#src/errors.js'
import { extractToken } from '#src/extract-token.js'
import type { ClaimRules } from '#src/claims/check-claims.js'
import { claimChecks } from '#src/claims/claim-checks.js'
import { decodeToken } from '#src/verify/decode-token.js'
import { parseJsonObject } from '#src/verify/json-object.js'
import { profiles } from '#src/claims/profiles.js'
import { readAccessToken } from '#src/claims/read-access-token.js'
import { base64url, signRaw } from '../hand-made-issuer.js'
import { startBench } from '../protected-app.js'

/** The same cases in every run. */
const seed = 20_260_101
const often = { seed, numRuns: 3_000 }

const names = [
  'iss',
  'sub',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'client_id',
  'scope',
  'cnf',
  'events',
  '__proto__',
]
/** JSON objects, many of them with members that mean something, at times twice or written with escapes. */
const jsonObject = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...names, 'alg', 'typ', 'kid', 'crit'), fc.string({ unit: 'binary' })),
      fc.json({ stringUnit: 'binary', maxDepth: 4 }),
      fc.constantFrom('', ' ', '\n\t'),
    ),
    { maxLength: 8 },
  )
  .map(members => {
    const text = members.map(([name, value, space]) => `${space}${JSON.stringify(name)}${space}:${value}`)
    return {
      text: `{${text.join(',')}}`,
      unique: new Set(members.map(([name]) => name)).size === members.length,
    }
  })

t.test('parses the same JSON objects as JSON.parse, without duplicate members', async () => {
  fc.assert(
    fc.property(jsonObject, ({ text, unique }) => {
      const bytes = Buffer.from(text)
      const found = parseJsonObject(bytes, 'payload')
      if (!unique) return found instanceof Refusal && found.reason === 'malformed'
      return JSON.stringify(found) === JSON.stringify(JSON.parse(bytes.toString()))
    }),
    often,
  )
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), text => {
      const found = parseJsonObject(Buffer.from(text), 'payload')
      return found instanceof Refusal ? found.reason === 'malformed' : typeof JSON.parse(text) === 'object'
    }),
    often,
  )
})

t.test('decodes a token only in its canonical form', async () => {
  const segment = fc.oneof(
    jsonObject.map(({ text }) => base64url(text)),
    fc.json().map(base64url),
    fc.uint8Array().map(bytes => Buffer.from(bytes).toString('base64url')),
    fc.base64String(),
    fc.string({ unit: 'binary' }),
  )
  const token = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(segment, { maxLength: 6 }).map(segments => segments.join('.')),
    fc.tuple(jsonObject, segment).map(([{ text }, signature]) => {
      const header = { alg: 'ES256', typ: 'at+jwt', kid: 'first' }
      return `${base64url(header)}.${base64url(text)}.${signature}`
    }),
  )
  let read = 0
  fc.assert(
    fc.property(token, raw => {
      const decoded = decodeToken(raw, new Map())
      if (decoded instanceof Refusal) return decoded.reason === 'malformed'
      read += 1
      const segments = raw.split('.')
      const spelling = segments.map(part => Buffer.from(part, 'base64url').toString('base64url'))
      return segments.length === 3 && spelling.join('.') === raw && typeof decoded.claims === 'object'
    }),
    often,
  )
  t.ok(read > 100, `${read} of them could be read`)
})

const now = 1_800_000_000
const rules: ClaimRules = {
  issuer: 'https://login.example.com',
  profile: profiles.rfc9068,
  audiences: ['https://api.example.com'],
  types: profiles.rfc9068.types,
  required: [['iss'], ['exp'], ['aud'], ['sub'], ['client_id'], ['iat'], ['jti']],
  clockToleranceMs: 5_000,
  maxTokenAgeMs: Infinity,
}
const right = {
  iss: 'https://login.example.com',
  sub: 'payment',
  aud: 'https://api.example.com',
  exp: now + 60,
  iat: now,
  jti: 'one',
  client_id: 'payment',
}

const isText = (it: unknown): boolean => typeof it === 'string' && it.length > 0
const isAbsent = (it: unknown): boolean => it === undefined
const isBetween =
  (from: number, to: number) =>
  (it: unknown): boolean =>
    typeof it === 'number' && it >= from && it <= to
const isForUs = (aud: unknown): boolean => {
  const list: unknown[] = Array.isArray(aud) ? aud : [aud]
  return list.every(isText) && list.includes(right.aud)
}

/** RFC 9068 §4 said once more, claim by claim: nothing of it is shared with what is tested. */
const spelledOut: Readonly<Record<string, (it: unknown) => boolean>> = {
  iss: it => it === right.iss,
  sub: isText,
  aud: isForUs,
  exp: it => isBetween(now - 5, 8.64e12)(it) && it !== now - 5,
  iat: isBetween(0, now + 5),
  nbf: it => isAbsent(it) || isBetween(0, now + 5)(it),
  jti: isText,
  client_id: isText,
  events: isAbsent,
  azp: it => isAbsent(it) || isText(it),
  appid: it => isAbsent(it) || isText(it),
  cid: it => isAbsent(it) || isText(it),
  token_use: it => isAbsent(it) || isText(it),
}

function isRight(claims: Record<string, unknown>): boolean {
  return Object.entries(spelledOut).every(([name, fits]) => fits(claims[name]))
}

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(undefined),
  fc.double(),
  fc.integer({ min: now - 100, max: now + 100 }),
  fc.constantFrom<unknown>(
    right.iss,
    right.aud,
    [right.aud],
    [right.aud, 'other'],
    [right.aud, ''],
    'x',
    1e300,
  ),
)
const changes = fc.array(
  fc.tuple(
    fc.constantFrom(...names.slice(0, 8), 'events', 'azp', 'appid', 'cid', 'token_use', 'other'),
    value,
  ),
  { minLength: 1, maxLength: 3 },
)
/** As they come out of JSON: what is undefined is not there. */
const changed = changes.map(
  list => JSON.parse(JSON.stringify({ ...right, ...Object.fromEntries(list) })) as Record<string, unknown>,
)

t.test('accepts exactly the claims that RFC 9068 allows', async t => {
  const seen = { passed: 0, refused: 0 }
  fc.assert(
    fc.property(changed, claims => {
      const header = { alg: 'ES256', kid: 'first', type: 'at+jwt' }
      const refused = claimChecks.some(
        ({ check }) => check({ header, claims }, rules, now * 1000) !== undefined,
      )
      seen[refused ? 'refused' : 'passed'] += 1
      return isRight(claims) !== refused
    }),
    { seed, numRuns: 10_000 },
  )
  t.ok(seen.passed > 500 && seen.refused > 500, `${seen.passed} passed, ${seen.refused} were refused`)
})

t.test('freezes request.auth, with only scopes of the token, for random claims', async () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('scope', 'roles', 'x'), value), claims => {
      const { scopes, roles, ...token } = readAccessToken({ ...right, ...claims }, rules)
      const text = JSON.stringify(claims['scope'] ?? '')
      return (
        [scopes, roles].every(
          list => Object.isFrozen(list) && list.every(name => typeof name === 'string'),
        ) &&
        Object.isFrozen(token.claims) &&
        scopes.every(scope => text.includes(JSON.stringify(scope).slice(1, -1)))
      )
    }),
    often,
  )
})

t.test('extracts the text after the scheme, or nothing, for random headers', async () => {
  const part = fc.constantFrom('Bearer', 'bearer', 'DPoP', 'Basic', ' ', '\t', ',', 'abc.def.ghi', '=', '"')
  const header = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 8 }).map(parts => parts.join('')),
  )
  fc.assert(
    fc.property(header, fc.boolean(), (authorization, takesDpop) => {
      const request = { headers: { authorization }, rawHeaders: ['Authorization', authorization] }
      const found = extractToken(request as unknown as IncomingMessage, takesDpop)
      if (typeof found === 'string') return found === 'missing' || found === 'malformed'
      const scheme = authorization.slice(0, found.scheme.length)
      return (
        scheme.toLowerCase() === found.scheme &&
        authorization.slice(scheme.length).replace(/^ +/, '') === found.accessToken &&
        authorization === found.header &&
        found.accessToken !== '' &&
        (found.scheme === 'bearer' || takesDpop)
      )
    }),
    often,
  )
})

t.test('answers random requests with 400, 401 or 403, and with 200 only for a valid token', async t => {
  const bench = await startBench(t)
  const good = bench.token()
  const anything = fc.oneof(
    fc.string(),
    fc.base64String(),
    fc.tuple(fc.jsonValue(), fc.jsonValue()).map(([header, payload]) => signRaw(header, payload, bench.key)),
    jsonObject.map(({ text }) => signRaw(bench.header(), text, bench.key)),
    jsonObject.map(({ text }) => signRaw(text, bench.claims(), bench.key)),
    fc
      .record({ at: fc.nat(good.length - 1), insert: fc.base64String({ minLength: 1, maxLength: 4 }) })
      .map(({ at, insert }) => good.slice(0, at) + insert + good.slice(at + 1)),
  )
  await fc.assert(
    fc.asyncProperty(anything, async token => {
      const { statusCode } = await bench.send(`Bearer ${token}`)
      return token === good ? statusCode === 200 : [400, 401].includes(statusCode)
    }),
    { seed, numRuns: 600 },
  )
  let passed = 0
  await fc.assert(
    fc.asyncProperty(changed, async claims => {
      const iss = claims['iss'] === right.iss ? bench.issuer.url : claims['iss']
      const token = signRaw(bench.header(), { ...claims, scope: 'read', iss }, bench.key)
      const { statusCode } = await bench.call(token)
      if (statusCode === 200) passed += 1
      return statusCode === (isRight(claims) && claims['cnf'] === undefined ? 200 : 401)
    }),
    { seed, numRuns: 400 },
  )
  t.ok(passed > 20, `${passed} passed`)
})
