import { Type } from 'typebox'
import t, { type Test } from 'tap'
import { z } from 'zod'
import type { ProfileName } from 'fastify-resource-server'
import { startBench } from './protected-app.js'

t.test('requires every claim of RFC 9068, with the right type', async t => {
  const bench = await startBench(t)
  const wrong: Record<string, unknown[]> = {
    iss: [undefined, null, '', 1, true, [], {}, [bench.issuer.url]],
    sub: [undefined, null, '', 1, true, [], {}],
    aud: [
      undefined,
      null,
      '',
      1,
      true,
      [],
      {},
      [1],
      [null],
      ['https://api.example.com', 1],
      ['https://other.example.com'],
      { 0: 'https://api.example.com' },
    ],
    exp: [undefined, null, '', '1900000000', true, [], {}, -1, 1e300, [1_900_000_000]],
    iat: [undefined, null, '', '1', true, [], {}, -1, 1e300],
    nbf: [null, '', '1', true, [], {}, -1, 1e300],
    jti: [undefined, null, '', 1, true, [], {}],
    client_id: [undefined, null, '', 1, true, [], {}],
  }
  for (const [claim, values] of Object.entries(wrong))
    for (const value of values) {
      const { statusCode } = await bench.call(bench.token({ [claim]: value }))
      t.equal(statusCode, 401, `${claim}: ${JSON.stringify(value)}`)
    }
  t.equal(
    (await bench.call(bench.token({ aud: ['https://other.example.com', 'https://api.example.com'] })))
      .statusCode,
    200,
  )
})

const malformedNames: readonly unknown[] = [
  5,
  0,
  true,
  false,
  {},
  { value: 'read' },
  [5],
  ['read', 5],
  ['read', null],
  [['read']],
  [{}],
]
const fittingNames: readonly unknown[] = [undefined, null, '', [], 'read', ['read']]

t.test('refuses claims with scopes, roles or groups of the wrong type instead of ignoring them', async t => {
  const cases: [profile: ProfileName, claim: string, more?: object][] = [
    ['rfc9068', 'scope'],
    ['rfc9068', 'roles'],
    ['rfc9068', 'entitlements'],
    ['rfc9068', 'groups'],
    ['generic', 'scope'],
    ['generic', 'scp'],
    ['auth0', 'permissions'],
    ['okta', 'scp', { cid: 'c' }],
    ['entra', 'roles', { ver: '2.0', azp: 'c' }],
    ['cognito', 'cognito:groups', { token_use: 'access', client_id: 'https://api.example.com' }],
  ]
  for (const [profile, claim, more] of cases) {
    const bench = await startBench(t, { profile })
    const typ = profile === 'rfc9068' ? 'at+jwt' : 'JWT'
    const call = async (value: unknown) =>
      bench.call(bench.token({ ...more, [claim]: value, jti: JSON.stringify(value) ?? 'none' }, { typ }))
    for (const value of malformedNames) {
      const name = `${profile} ${claim} ${JSON.stringify(value)}`
      t.equal((await call(value)).statusCode, 401, name)
      t.equal(bench.lastReason(), 'claim', name)
    }
    for (const value of fittingNames)
      t.not((await call(value)).statusCode, 401, `${profile} ${claim} ${JSON.stringify(value)}`)
  }
})

t.test('logs the value of a refused claim, shortened, without tokens and invisible characters', async t => {
  const bench = await startBench(t)
  const { issuer, audience } = { issuer: bench.issuer.url, audience: 'https://api.example.com' }
  const cases: [claims: Record<string, unknown>, detail: string | RegExp][] = [
    [{ iss: 'https://other.example.com' }, `iss is "https://other.example.com"; expected ${issuer}`],
    [{ iss: 'a\u202e\u0007' }, `iss is "a\\u{202e}\\u0007"; expected ${issuer}`],
    [{ iss: 'i'.repeat(5_000) }, /^iss is "i{159}…; expected /],
    [{ aud: ['https://a.example.com', 'b'] }, `aud is ["https://a.example.com","b"]; expected ${audience}`],
    [{ aud: bench.token() }, `aud is "(a token)"; expected ${audience}`],
  ]
  for (const [claims, detail] of cases) {
    await bench.call(bench.token(claims))
    t.match(
      bench.logged.findLast(line => line['msg'] === 'access refused'),
      { detail },
    )
  }
})

t.test('reads roles from nested objects, for the configured audience only', async t => {
  const bench = await startBench(t, { profile: 'keycloak' })
  const call = async (claims: object) =>
    (
      await bench.call(
        bench.token({ typ: 'Bearer', azp: 'c', jti: JSON.stringify(claims), ...claims }, { typ: 'JWT' }),
      )
    ).statusCode
  for (const claims of [
    { realm_access: 5 },
    { realm_access: [] },
    { realm_access: 'admin' },
    { realm_access: { roles: 5 } },
    { realm_access: { roles: [{ name: 'x' }] } },
    { resource_access: [] },
    { resource_access: { 'https://api.example.com': [] } },
    { resource_access: { 'https://api.example.com': { roles: {} } } },
  ])
    t.equal(await call(claims), 401, JSON.stringify(claims))
  for (const claims of [
    { realm_access: {} },
    { realm_access: null },
    { realm_access: { roles: null } },
    { resource_access: { other: 5 } },
    { resource_access: { 'https://api.example.com': { roles: ['a'] } } },
  ])
    t.equal(await call(claims), 200, JSON.stringify(claims))
})

t.test('reads groups, roles and entitlements of RFC 9068, as names or as SCIM objects', async t => {
  const bench = await startBench(t)
  const guide = { value: 'e9e30dba', $ref: 'https://example.com/v2/Groups/e9e30dba', display: 'Tour Guides' }
  const token = await bench.app.oauth.verify(
    bench.token({
      groups: [guide, 'staff', { value: 'staff' }],
      roles: [{ value: 'admin', primary: true }],
      entitlements: 'print',
    }),
  )
  t.strictSame(token.groups, ['e9e30dba', 'staff'])
  t.strictSame(token.roles, ['admin', 'print'])
  t.ok(Object.isFrozen(token.groups))
  t.throws(() => (token.groups as string[]).push('admins'), TypeError)
  t.strictSame((await bench.app.oauth.verify(bench.token())).groups, [])
})

t.test('checks times with a tolerance of five seconds', async t => {
  const bench = await startBench(t)
  const now = bench.clock.now / 1000
  const cases: [claims: Record<string, unknown>, status: number][] = [
    [{ exp: now + 1 }, 200],
    [{ exp: now - 4.9 }, 200],
    [{ exp: now - 5 }, 401],
    [{ exp: now - 3_600 }, 401],
    [{ nbf: now + 5 }, 200],
    [{ nbf: now + 5.1 }, 401],
    [{ iat: now + 5 }, 200],
    [{ iat: now + 5.1 }, 401],
    [{ iat: now + 3_600 }, 401],
  ]
  for (const [claims, status] of cases)
    t.equal(
      (await bench.call(bench.token({ ...claims, jti: JSON.stringify(claims) }))).statusCode,
      status,
      JSON.stringify(claims),
    )
})

t.test('refuses all tokens if the clock returns no time', async t => {
  const bench = await startBench(t)
  const token = bench.token()
  t.equal((await bench.call(token)).statusCode, 200)
  const other = bench.token({ jti: 'other' })
  bench.clock.now = Number.NaN
  t.equal((await bench.call(token)).statusCode, 500)
  t.equal((await bench.call(other)).statusCode, 500)
})

t.test('refuses a cached token after it has expired', async t => {
  const bench = await startBench(t)
  const token = bench.token()
  t.equal((await bench.call(token)).statusCode, 200)
  bench.clock.now += 299_000
  t.equal((await bench.call(token)).statusCode, 200)
  bench.clock.now += 6_001
  t.equal((await bench.call(token)).statusCode, 401)
  t.equal(bench.lastReason(), 'expired')
})

t.test('applies maxTokenAgeMs whatever exp is, also to cached tokens', async t => {
  const bench = await startBench(t, { maxTokenAgeMs: 60_000 })
  const token = bench.token()
  t.equal((await bench.call(token)).statusCode, 200)
  bench.clock.now += 65_001
  t.equal((await bench.call(token)).statusCode, 401)
  t.equal(bench.lastReason(), 'expired')
})

t.test('refuses a cached token before its time, after a clock that was ahead is corrected', async t => {
  for (const claim of ['iat', 'nbf']) {
    const bench = await startBench(t)
    await bench.call(bench.token({ jti: 'fetches the keys' }))
    const ahead = Math.floor(bench.clock.now / 1000) + 60
    const token = bench.token({ [claim]: ahead })
    bench.clock.now += 60_000
    t.equal((await bench.call(token)).statusCode, 200)
    bench.clock.now -= 54_000
    t.equal((await bench.call(token)).statusCode, 401, claim)
    t.equal(bench.lastReason(), 'not_yet_valid')
    bench.clock.now += 49_000
    t.equal((await bench.call(token)).statusCode, 200, 'within the tolerance')
  }
})

t.test('requiredClaims', async t => {
  const bench = await startBench(t, { requiredClaims: ['tenant'] })
  t.equal((await bench.call(bench.token())).statusCode, 401)
  t.equal((await bench.call(bench.token({ tenant: null }))).statusCode, 401)
  t.equal((await bench.call(bench.token({ tenant: 'a' }))).statusCode, 200)
})

t.test('checks custom claims against a schema', async t => {
  const claims = Type.Object({ tenant: Type.String({ minLength: 3 }) })
  const bench = await startBench(t, { claims })
  t.equal((await bench.call(bench.token({ tenant: 'abc' }))).statusCode, 200)
  for (const tenant of [undefined, 'ab', 5, null]) {
    t.equal((await bench.call(bench.token({ tenant }))).statusCode, 401, JSON.stringify(tenant))
    t.equal(bench.lastReason(), 'claim')
  }
})

const startsWith = async (t: Test, claims: object): Promise<void> => {
  await startBench(t, { claims })
}

const nested = (schema: object): object => ({ properties: { tenant: { anyOf: [schema] } } })

t.test('does not start with a claims schema that is not JSON Schema, at any depth', async t => {
  const mistaken: [claims: object, message: RegExp][] = [
    [{ required: 'tenant' }, /\/required must be array/],
    [{ required: [7] }, /\/required\/0 must be string/],
    [{ type: 'object', propertys: {} }, /has unknown keywords: propertys/],
    [{ type: 'objet' }, /\/type must be/],
    [{ properties: { tenant: { enum: 'acme' } } }, /\/properties\/tenant\/enum must be array/],
    [{ properties: { level: { minimum: '5' } } }, /\/properties\/level\/minimum must be number/],
    [{ properties: { tenant: 'string' } }, /\/properties\/tenant must be/],
    [{ properties: { tenant: { tpye: 'string' } } }, /\/properties\/tenant has unknown keywords: tpye/],
    [{ properties: { tenant: { format: 'uid' } } }, /\/properties\/tenant\/format must be/],
    [{ properties: { tenant: { pattern: '(' } } }, /\/properties\/tenant\/pattern must match format/],
    [{ properties: { tenant: { minLength: -1 } } }, /minLength/],
    [{ allOf: [] }, /\/allOf/],
    [{ allOf: { required: ['tenant'] } }, /\/allOf must be array/],
    [nested({ maxlength: 3 }), /\/properties\/tenant\/anyOf\/0 has unknown keywords: maxlength/],
    [nested({ items: { constt: 1 } }), /anyOf\/0\/items has unknown keywords: constt/],
    [nested({ not: { enums: [1] } }), /not has unknown keywords: enums/],
    [{ if: { requird: ['a'] }, type: 'object' }, /\/if has unknown keywords: requird/],
    [{ patternProperties: { '^a': { typ: 'string' } } }, /patternProperties\/\^a has unknown/],
    [{ additionalProperties: 'no' }, /\/additionalProperties must be/],
    [{ type: 'object', nullable: true }, /has unknown keywords: nullable/],
  ]
  for (const [claims, message] of mistaken)
    await t.rejects(startsWith(t, claims), { code: 'OAUTH_INVALID_OPTION', message }, JSON.stringify(claims))
  const right: object[] = [
    Type.Object({
      tenant: Type.Union([Type.Literal('a'), Type.Literal('b')]),
      n: Type.Optional(Type.Integer()),
    }),
    Type.Object({ tenant: Type.String({ format: 'uuid' }) }, { additionalProperties: true }),
    z.toJSONSchema(z.object({ tenant: z.string().min(1), at: z.email().optional() })),
    { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Ours', required: ['tenant'] },
    { properties: { tenant: { default: { tpye: 1 }, const: { requird: 1 }, examples: [{ a: 1 }] } } },
    { $defs: { id: { type: 'string' } }, properties: { tenant: { $ref: '#/$defs/id' } } },
  ]
  for (const claims of right) await t.resolves(startsWith(t, claims), JSON.stringify(claims))
})

/** A schema around a schema, as deep as that. */
function nestedBy(depth: number): object {
  let schema: object = { type: 'string' }
  for (let level = 0; level < depth; level += 1) schema = { properties: { a: schema } }
  return schema
}

t.test('does not start with a claims schema that cannot be evaluated', async t => {
  const round: Record<string, unknown> = { type: 'object' }
  round['properties'] = { tenant: { anyOf: [round] } }
  const roundList: unknown[] = []
  roundList.push({ allOf: roundList })
  let twice: object = { type: 'string' }
  for (let level = 0; level < 20; level += 1) twice = { allOf: [twice, twice] }
  const cases: [claims: object, message: RegExp][] = [
    [round, /option `claims` is invalid: the schema contains itself, is nested more than 50 levels/],
    [
      { allOf: roundList },
      /option `claims` is invalid: the schema contains itself, is nested more than 50 levels/,
    ],
    [nestedBy(100), /option `claims` is invalid: the schema contains itself, is nested more than 50 levels/],
    [
      nestedBy(100_000),
      /option `claims` is invalid: the schema contains itself, is nested more than 50 levels/,
    ],
    [
      { allOf: Array.from({ length: 20_000 }, () => ({ type: 'object' })) },
      /50 levels deep, or contains more than 10000 objects/,
    ],
    [twice, /50 levels deep, or contains more than 10000 objects/],
    [
      { $ref: '#/$defs/tenant' },
      /option `claims` is invalid: the \$ref "#\/\$defs\/tenant" does not resolve to a part of the schema/,
    ],
    [
      { $ref: 'https://example.com/schema' },
      /does not resolve to a part of the schema; expected a reference such as "#\/\$defs/,
    ],
    [{ $ref: '#/constructor' }, /does not resolve to a part of the schema/],
    [{ $ref: '#/%zz' }, /does not resolve to a part of the schema/],
    [{ $ref: '#tenant', $defs: { tenant: { type: 'object' } } }, /does not resolve to a part of the schema/],
    [{ $ref: '#/title', title: 'Ours' }, /does not resolve to a part of the schema/],
    [
      { type: 'object', properties: { a: { items: { $ref: '#/$defs/x' } } } },
      /does not resolve to a part of the schema/,
    ],
    [{ $dynamicRef: '#tenant' }, /\$dynamicRef is not supported/],
    [{ $ref: '#' }, /the \$ref "#" is circular: it leads back to itself/],
    [{ type: 'object', allOf: [{ not: { $ref: '#' } }] }, /leads back to itself/],
    [
      {
        properties: { a: { $ref: '#/$defs/x' } },
        $defs: { x: { if: { $ref: '#/$defs/y' } }, y: { $ref: '#/$defs/x' } },
      },
      /leads back to itself/,
    ],
    [
      Object.defineProperty({ type: 'object' }, 'not', { enumerable: true, get: throws(null) }),
      /option `claims` /,
    ],
    [
      Object.defineProperty({ type: 'object' }, 'not', { enumerable: true, get: throws(new Error('x')) }),
      /`claims`/,
    ],
    [new Proxy({ type: 'object' }, { ownKeys: throws(undefined) }), /option `claims` /],
    [new Proxy({ type: 'object' }, { has: throws(0) }), /option `claims` /],
  ]
  for (const [claims, message] of cases)
    await t.rejects(startsWith(t, claims), { code: 'OAUTH_INVALID_OPTION', message }, String(message))
})

const throws = (value: unknown) => (): never => {
  throw value
}

t.test('follows references within a claims schema', async t => {
  const Node = z.object({
    name: z.string(),
    get parent() {
      return Node.optional()
    },
  })
  const tenant = z.object({ name: z.string() }).meta({ id: 'Tenant' })
  const good = { tenant: { name: 'a' } }
  const bad = { tenant: { name: 7 } }
  const cases: [claims: object, good: object, bad: object][] = [
    [
      {
        required: ['tenant'],
        properties: { tenant: { $ref: '#/$defs/a~1b%25' } },
        $defs: { 'a/b%': { required: ['name'], properties: { name: { type: 'string' } } } },
      },
      good,
      bad,
    ],
    [
      {
        properties: { tenant: { $ref: '#tenant' } },
        $defs: { t: { $anchor: 'tenant', properties: { name: { type: 'string' } } } },
      },
      good,
      bad,
    ],
    [z.toJSONSchema(z.looseObject({ tenant, other: tenant.optional() })), good, bad],
    [
      z.toJSONSchema(z.looseObject({ node: Node })),
      { node: { name: 'a', parent: { name: 'b' } } },
      { node: { name: 'a', parent: { name: 7 } } },
    ],
    [
      Type.Object({
        node: Type.Cyclic({ N: Type.Object({ v: Type.Number(), n: Type.Optional(Type.Ref('N')) }) }, 'N'),
      }),
      { node: { v: 1, n: { v: 2 } } },
      { node: { v: 1, n: { v: 'x' } } },
    ],
    [
      {
        type: 'object',
        properties: {
          tenant: { properties: { parent: { $ref: '#/properties/tenant' }, name: { type: 'string' } } },
        },
      },
      { tenant: { parent: { name: 'a' } } },
      { tenant: { parent: { parent: { name: 7 } } } },
    ],
  ]
  for (const [claims, fitting, other] of cases) {
    const bench = await startBench(t, { claims })
    t.equal((await bench.call(bench.token({ ...fitting }))).statusCode, 200, JSON.stringify(claims))
    t.equal((await bench.call(bench.token({ ...other }))).statusCode, 401, JSON.stringify(claims))
    t.equal(bench.lastReason(), 'claim')
  }
})

t.test('logs the name of the claim that did not match', async t => {
  const claims = Type.Object({ tenant: Type.String(), level: Type.Integer({ minimum: 2 }) })
  const bench = await startBench(t, { claims })
  const cases: [object, RegExp][] = [
    [{ level: 2 }, /tenant/],
    [{ tenant: 'a', level: 'secret' }, /\/level must be integer/],
    [{ tenant: 'a', level: 1 }, /\/level must be >= 2/],
  ]
  for (const [given, reason] of cases) {
    t.equal((await bench.call(bench.token({ ...given }))).statusCode, 401)
    t.match(JSON.stringify(bench.logged.findLast(line => line['reason'] === 'claim')), reason)
    t.notMatch(JSON.stringify(bench.logged), '"secret"')
  }
})
