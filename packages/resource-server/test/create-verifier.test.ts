import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { Type } from 'typebox'
import {
  createVerifier,
  type RefusedTokenError,
  type Verifier,
  type VerifierOptions,
} from 'fastify-resource-server'
import { makeKey, startHandMadeIssuer, type HandMadeIssuer } from './hand-made-issuer.js'
import { audience, registered, startBench } from './protected-app.js'

async function startVerifier(
  t: Test,
  options: Partial<VerifierOptions<'read' | 'write'>> = {},
): Promise<Verifier<'read' | 'write'>> {
  const verifier = await createVerifier({ ...registered, scopes: ['read', 'write'], ...options })
  t.teardown(() => verifier.close())
  return verifier
}

t.test('accepts and refuses the same tokens as oauth.verify, without Fastify', async t => {
  const bench = await startBench(t)
  const logged: unknown[] = []
  const verifier = await startVerifier(t, {
    issuer: bench.issuer.url,
    keys: [bench.key.jwk],
    clock: () => bench.clock.now,
    logger: { info: details => logged.push(details), warn() {}, error() {} },
  })
  t.strictSame(await verifier.verify(bench.token()), await bench.app.oauth.verify(bench.token()))
  const bad: [string, Parameters<typeof verifier.verify>[1]?][] = [
    [bench.token(), { scopes: ['write'] }],
    [bench.token(), { acr: ['phr'] }],
    [bench.token({ exp: 1 })],
    [bench.token({ aud: 'https://other.example.com' })],
    [bench.token({ cnf: { jkt: 'thumbprint' } })],
    [bench.token({}, { typ: 'JWT' })],
    ['opaque'],
    ['two tokens'],
    [7 as never],
  ]
  for (const given of bad) {
    const [expected, found] = await Promise.all(
      [bench.app.oauth, verifier].map(by => by.verify(...given).catch((error: unknown) => error)),
    )
    const { code, statusCode, reason, detail } = found as RefusedTokenError
    t.match(expected, { code, statusCode, reason, detail }, reason)
    t.strictSame(Object.keys(found as object), Object.keys(expected as object))
    t.match(logged.at(-1), { reason, detail })
  }
  t.equal(logged.length, bad.length)
  t.match(verifier.stats(), { allowed: 1, refused: { malformed: 3, expired: 1 } })
})

t.test('refuses every unknown key id as unknown with the option `keys`', async t => {
  const bench = await startBench(t)
  const verifier = await startVerifier(t, {
    issuer: bench.issuer.url,
    keys: [bench.key.jwk],
    clock: () => bench.clock.now,
  })
  for (let number = 0; number < 10; number += 1) {
    const token = bench.token({}, { kid: `unknown-${number}` })
    t.match(await verifier.verify(token).catch((error: unknown) => error), { reason: 'unknown_key' })
    t.equal((await verifier.explain(token)).reason, 'unknown_key')
  }
  t.match(verifier.stats().issuers, [{ kids: [bench.key.kid], fetchedAt: null, failures: 0 }])
})

t.test('throws GuardFailedError for an invalid rule', async t => {
  const verifier = await startVerifier(t)
  const error = await verifier.verify('opaque', { scopes: ['raed'] as never }).catch((e: unknown) => e)
  t.match(error, { code: 'OAUTH_GUARD_FAILED', cause: { message: /verify: .*did you mean "read"/ } })
})

t.test('rejects options about requests, and suggests corrections of misspelt names', async t => {
  for (const [options, message] of [
    [{ dpop: 'allow' }, /option `dpop` applies to HTTP requests/],
    [{ clientCertificate: 'socket' }, /option `clientCertificate` applies to HTTP/],
    [{ realm: 'api' }, /option `realm` applies to HTTP/],
    [{ problemDetails: true }, /option `problemDetails` applies to HTTP/],
    [{ defaultAccess: 'public' }, /option `defaultAccess` applies to HTTP/],
    [{ resourceMetadata: true }, /option `resourceMetadata` applies to HTTP/],
    [{ securityScheme: 'oauth2' }, /option `securityScheme` applies to HTTP/],
    [{ prefix: '/api' }, /no option `prefix`/],
    [{ loger: console }, /no option `loger`; did you mean `logger`/],
    [{ logger: { info() {} } }, /option `logger` is not a logger with the methods info, warn and error/],
    [{ logger: null }, /option `logger`/],
    [{ audience: '' }, /option `audience`/],
  ] as const)
    await t.rejects(startVerifier(t, options as never), { code: 'OAUTH_INVALID_OPTION', message })
  for (const options of [undefined, null, [], 'https://login.example.com'])
    await t.rejects(createVerifier(options as never), { message: /createVerifier expects an object/ })
})

t.test('fetches the keys at the time that `prefetch` defines', async t => {
  const ask = async (prefetch: 'background' | 'required' | 'lazy'): Promise<HandMadeIssuer> => {
    const issuer = await startHandMadeIssuer(t, [makeKey('first')])
    const verifier = await createVerifier({ issuer: issuer.url, audience, prefetch })
    t.teardown(() => verifier.close())
    if (prefetch === 'background') while (verifier.stats().issuers[0]?.kids.length === 0) await turn()
    return issuer
  }
  t.equal((await ask('required')).asked.length, 2)
  t.equal((await ask('background')).asked.length, 2)
  t.equal((await ask('lazy')).asked.length, 0)
})

const turn = async (): Promise<void> => new Promise(resolve => setImmediate(resolve))

t.test("fails for an unreachable issuer only with `prefetch: 'required'`", async t => {
  const issuer = await startHandMadeIssuer(t, [makeKey('first')])
  issuer.goAway()
  const options = { issuer: issuer.url, audience }
  await t.rejects(createVerifier({ ...options, prefetch: 'required' }), { code: 'OAUTH_ISSUER' })
  const verifier = await createVerifier(options)
  await verifier.close()
  await verifier.close()
})

t.test('derives the types of scopes and claims from the options', async t => {
  const bench = await startBench(t)
  const verifier = await createVerifier({
    ...registered,
    issuer: bench.issuer.url,
    keys: [bench.key.jwk],
    clock: () => bench.clock.now,
    scopes: ['read', 'write'],
    claims: Type.Object({ tenant: Type.String() }),
  })
  t.teardown(() => verifier.close())
  const token = await verifier.verify(bench.token({ tenant: 'acme' }), { scopes: ['read'] })
  const { tenant }: { tenant: string } = token.claims
  const scopes: readonly ('read' | 'write')[] = token.scopes
  t.strictSame([tenant, scopes], ['acme', ['read']])
  const refusal = await verifier.verify(bench.token(), { scopes: ['read'] }).catch((error: unknown) => error)
  t.match(refusal, { reason: 'claim' })
  // @ts-expect-error -- no such scope
  await t.rejects(verifier.verify(bench.token(), { scopes: ['raed'] }))
  // @ts-expect-error -- no request, so no proof
  await t.rejects(verifier.verify(bench.token(), { dpop: 'require' }))
  // @ts-expect-error -- nothing is optional
  await t.rejects(verifier.verify(bench.token(), { optional: true }))
})

t.test('runs without Fastify, writes nothing, and does not keep the process alive', async t => {
  const script = `
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(\`
      export async function resolve(specifier, context, next) {
        if (specifier === 'fastify') throw new Error('fastify is not installed')
        return next(specifier, context)
      }\`))
    const { createVerifier } = await import('fastify-resource-server')
    const options = { issuer: 'http://127.0.0.1:1', audience: 'https://api.example.com' }
    const verifier = await createVerifier(options)
    const claims = { iss: options.issuer, aud: options.audience, sub: 'a', client_id: 'a', jti: 'a', iat: 0, exp: 1e11 }
    const token = [{ alg: 'ES256', typ: 'at+jwt' }, claims, 'AAAA'].map(part =>
      typeof part === 'string' ? part : Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const reason = await verifier.verify(token).catch(error => error.reason)
    process.exitCode = reason === 'unavailable' ? 0 : 1`
  const args = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', script]
  const { status, stdout, stderr } = spawnSync('env', args, {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
  })
  t.strictSame([status, stdout, stderr], [0, '', ''])
})

t.test('reads a changed rule again', async t => {
  const bench = await startBench(t)
  const { issuer, clock, token } = bench
  const verifier = await createVerifier({
    issuer: issuer.url,
    audience,
    scopes: ['read', 'write'],
    clock: () => clock.now,
  })
  t.teardown(() => verifier.close())
  const changes: ((rule: { scopes?: string[]; match?: string; roles?: string[] }) => void)[] = [
    rule => void rule.scopes?.push('write'),
    rule => void rule.scopes?.splice(0, 1, 'write'),
    rule => void (rule.scopes = ['write']),
    rule => {
      delete rule.match
      rule.scopes = ['read', 'write']
    },
    rule => {
      delete rule.scopes
      delete rule.match
      rule.roles = ['Clerk']
    },
  ]
  for (const { verify, explain } of [bench.app.oauth, verifier])
    for (const change of changes) {
      const rule = { scopes: ['read'], match: 'all' }
      await verify(token(), rule as never)
      await verify(token(), rule as never)
      t.ok((await explain(token(), rule as never)).accepted)
      change(rule)
      await t.rejects(verify(token(), rule as never), { code: 'OAUTH_INSUFFICIENT_SCOPE' }, String(change))
      t.notOk((await explain(token(), rule as never)).accepted)
    }
  const guarded = { scopes: ['read'] }
  bench.app.oauth.authenticate(guarded as never)
  guarded.scopes.push('raed')
  t.throws(() => bench.app.oauth.authenticate(guarded as never), { code: 'OAUTH_INVALID_ROUTE' })
})
