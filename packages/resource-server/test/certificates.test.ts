import { createHash, X509Certificate } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { runInNewContext } from 'node:vm'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { makeCertificate } from 'test-support/certificate'
import { createCertificateThumbprint } from '#src/binding/client-certificate.js'
import { makeProof, makeProofKey } from './hand-made-proof.js'
import { audience, startBench, type Bench } from './protected-app.js'

/** RFC 8705 §3.1, by hand. */
const thumbprintOf = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url')

const bound = (bench: Bench, pem: string, cnf: object = {}): string =>
  bench.token({ cnf: { 'x5t#S256': thumbprintOf(pem), ...cnf } })

function protect(t: Test, app: FastifyInstance, bench: Bench, options: Partial<ResourceServerOptions>): void {
  t.teardown(() => app.close())
  app.register(resourceServer, {
    issuer: bench.issuer.url,
    audience,
    clock: () => bench.clock.now,
    ...options,
  })
  app.get('/', async ({ auth }) => auth.clientId)
}

t.test('accepts a token that is bound to the certificate of the TLS connection', async t => {
  const bench = await startBench(t)
  const [server, client, other] = await Promise.all(['server', 'client', 'other'].map(makeCertificate))
  if (server === undefined || client === undefined || other === undefined) throw new Error('no certificates')
  const app = fastify({ https: { ...server, requestCert: true, rejectUnauthorized: false } })
  protect(t, app as unknown as FastifyInstance, bench, { clientCertificate: 'socket' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const open = (certificate: object): Agent => {
    const agent = new Agent({ connections: 1, connect: { ca: server.cert, ...certificate } })
    t.teardown(() => agent.close())
    return agent
  }
  const call = async (dispatcher: Agent, token: string): Promise<number> => {
    const { statusCode, body } = await request(`https://localhost:${port}/`, {
      dispatcher,
      headers: { authorization: `Bearer ${token}` },
    })
    await body.dump()
    return statusCode
  }
  const agent = open(client)
  const token = bound(bench, client.cert)
  t.equal(await call(agent, token), 200)
  t.equal(await call(agent, token), 200, 'again on that connection')
  t.equal(await call(open(other), token), 401, 'a stolen token, with another certificate')
  t.equal(await call(open({}), token), 401, 'without one')
  t.equal(await call(agent, bench.token()), 200, 'a plain token is a plain token')
})

t.test('accepts a token over HTTP/2 that is bound to a certificate and a key', async t => {
  const bench = await startBench(t)
  const [server, client] = await Promise.all(['server', 'client'].map(makeCertificate))
  if (server === undefined || client === undefined) throw new Error('no certificates')
  const app = fastify({ http2: true, https: { ...server, requestCert: true, rejectUnauthorized: false } })
  protect(t, app as unknown as FastifyInstance, bench, { clientCertificate: 'socket', dpop: 'allow' })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const origin = `https://localhost:${(app.server.address() as AddressInfo).port}`
  const dispatcher = new Agent({ allowH2: true, connect: { ca: server.cert, ...client } })
  const plain = new Agent({ allowH2: true, connect: { ca: server.cert } })
  t.teardown(() => Promise.all([dispatcher.close(), plain.close()]))
  const key = makeProofKey()
  const token = bound(bench, client.cert, { jkt: key.thumbprint })
  const call = async (agent: Agent, jti: string): Promise<number> => {
    const ath = createHash('sha256').update(token).digest('base64url')
    const iat = Math.floor(bench.clock.now / 1000)
    const dpop = makeProof(key, { htm: 'GET', htu: `${origin}/`, iat, jti, ath })
    const { statusCode, body } = await request(`${origin}/`, {
      dispatcher: agent,
      headers: { authorization: `DPoP ${token}`, dpop },
    })
    await body.dump()
    return statusCode
  }
  t.equal(await call(dispatcher, 'one'), 200)
  t.equal(await call(dispatcher, 'two'), 200, 'again on that connection')
  t.equal(await call(dispatcher, 'two'), 401, 'the proof a second time')
  t.equal(await call(plain, 'three'), 401, 'without the certificate')
})

t.test('refuses a certificate-bound token over a plain connection', async t => {
  const bench = await startBench(t)
  const { cert } = await makeCertificate('client')
  const app = fastify()
  protect(t, app, bench, { clientCertificate: 'socket' })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const { statusCode, body } = await request(url, {
    headers: { authorization: `Bearer ${bound(bench, cert)}` },
  })
  await body.dump()
  t.equal(statusCode, 401)
})

t.test('accepts the certificate that a trusted proxy passes on', async t => {
  const bench = await startBench(t)
  const [client, other] = await Promise.all(['client', 'other'].map(makeCertificate))
  if (client === undefined || other === undefined) throw new Error('no certificates')
  const app = fastify()
  protect(t, app, bench, {
    clientCertificate: ({ headers }) => {
      const pem = headers['x-client-cert']
      return typeof pem === 'string' ? decodeURIComponent(pem) : undefined
    },
  })
  const authorization = `Bearer ${bound(bench, client.cert)}`
  const call = async (pem?: string): Promise<number> => {
    const headers = { authorization, ...(pem === undefined ? {} : { 'x-client-cert': pem }) }
    return (await app.inject({ url: '/', headers })).statusCode
  }
  t.equal(await call(encodeURIComponent(client.cert)), 200)
  t.equal(await call(encodeURIComponent(other.cert)), 401)
  t.equal(await call(), 401)
  t.equal(await call('no certificate'), 401, 'what cannot be read is refused, and no fault of ours')
  t.equal(await call('%'), 401)
})

t.test(
  'refuses certificate-bound tokens without the option, and tokens with one unproved binding',
  async t => {
    const bench = await startBench(t)
    const { cert } = await makeCertificate('client')
    t.equal((await bench.call(bound(bench, cert))).statusCode, 401)
    t.equal(bench.lastReason(), 'binding')
    const app = fastify()
    protect(t, app, bench, { clientCertificate: () => cert })
    const call = async (token: string): Promise<number> =>
      (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode
    t.equal(await call(bound(bench, cert)), 200)
    t.equal(
      await call(bound(bench, cert, { jkt: makeProofKey().thumbprint })),
      401,
      'both, and one is missing',
    )
    await t.rejects(startBench(t, { clientCertificate: 'header' as never }), {
      message: /option `clientCertificate` is "header"; expected 'socket', or a function/,
    })
  },
)

t.test('requires both proofs of a token that is bound to a certificate and a key', async t => {
  const bench = await startBench(t)
  const { cert } = await makeCertificate('client')
  const key = makeProofKey()
  const app = fastify()
  protect(t, app, bench, { clientCertificate: () => cert, dpop: { origin: audience } })
  const token = bound(bench, cert, { jkt: key.thumbprint })
  const ath = createHash('sha256').update(token).digest('base64url')
  const iat = Math.floor(bench.clock.now / 1000)
  const dpop = makeProof(key, { htm: 'GET', htu: `${audience}/`, iat, jti: 'one', ath })
  t.equal((await app.inject({ url: '/', headers: { authorization: `DPoP ${token}`, dpop } })).statusCode, 200)
  t.equal((await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode, 401)
})

t.test('refuses requests for which clientCertificate does not return a certificate', async t => {
  const bench = await startBench(t)
  const { cert } = await makeCertificate('client')
  const der = new X509Certificate(cert).raw
  const never = new Promise(() => {})
  const answers: [name: string, answer: () => unknown, detail: RegExp][] = [
    ['throws an error', () => throwIt(new Error('no header')), /clientCertificate threw: no header/],
    ['throws undefined', () => throwIt(undefined), /clientCertificate threw/],
    ['throws text', () => throwIt('broken'), /clientCertificate threw: broken/],
    ['throws what cannot be read', () => throwIt(revoked()), /clientCertificate threw: no reason was given/],
    ['throws an object without a prototype', () => throwIt(Object.create(null)), /clientCertificate threw/],
    ['returns a promise of the certificate', () => Promise.resolve(cert), /returned a promise/],
    ['returns a promise that rejects', () => Promise.reject(new Error('late')), /returned a promise/],
    ['returns a promise that rejects with undefined', () => Promise.reject(), /returned a promise/],
    ['returns a promise that never settles', () => never, /returned a promise/],
    ['returns a promise of another realm', () => foreign('Promise.reject(1)'), /returned a promise/],
    ['returns an object with then', () => foreign('({ then() { throw 1 } })'), /returned a promise/],
    [
      'returns a getter then that throws',
      () => foreign('({ get then() { throw 1 } })'),
      /not a PEM or DER certificate/,
    ],
    ['returns null', () => null, /did not present the certificate/],
    ['returns nothing', () => undefined, /did not present the certificate/],
    ['returns empty text', () => '', /not a PEM or DER certificate/],
    ['returns a number', () => 5, /not a PEM or DER certificate/],
    ['returns true', () => true, /not a PEM or DER certificate/],
    ['returns an object', () => ({ raw: der }), /not a PEM or DER certificate/],
    ['returns a list', () => [cert], /not a PEM or DER certificate/],
    ['returns a symbol', () => Symbol('cert'), /not a PEM or DER certificate/],
    ['returns a function', () => () => cert, /not a PEM or DER certificate/],
    ['returns DER that is cut off', () => der.subarray(0, 100), /not a PEM or DER certificate/],
  ]
  const rejections: unknown[] = []
  const note = (reason: unknown): void => void rejections.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  for (const [name, answer, detail] of answers) {
    const api = await startBench(
      t,
      { clientCertificate: answer as never, issuer: bench.issuer.url },
      bench.key,
    )
    const { statusCode } = await api.call(bound(bench, cert))
    t.equal(statusCode, 401, name)
    const refusal = api.logged.findLast(({ msg }) => msg === 'access refused')
    t.match(refusal, { reason: 'binding', detail }, name)
  }
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(rejections, [])
})

t.test('refuses certificate-bound tokens if the connection has ended', async t => {
  const certificateOf = createCertificateThumbprint('socket')
  // As with HTTP/2, when the session has ended (ERR_HTTP2_SOCKET_UNBOUND).
  const gone = new Proxy({}, { get: () => throwIt(new Error('The socket was disconnected')) })
  const refusal = certificateOf({ raw: { socket: gone } } as never)
  t.match(refusal, { reason: 'binding', detail: /clientCertificate threw: The socket was disconnected/ })
})

t.test('accepts certificates as PEM, DER and X509Certificate, including DER of another realm', async t => {
  const bench = await startBench(t)
  const { cert } = await makeCertificate('client')
  const parsed = new X509Certificate(cert)
  const foreignBytes = foreign(`Uint8Array.from(${JSON.stringify([...parsed.raw])})`)
  for (const answer of [cert, parsed, parsed.raw, new Uint8Array(parsed.raw), foreignBytes]) {
    const options = { clientCertificate: (() => answer) as never, issuer: bench.issuer.url }
    const api = await startBench(t, options, bench.key)
    t.equal((await api.call(bound(bench, cert))).statusCode, 200)
  }
})

t.test('does not start if clientCertificate is an async function', async t => {
  await t.rejects(startBench(t, { clientCertificate: (async () => 'late') as never }), {
    code: 'OAUTH_INVALID_OPTION',
    message: /option `clientCertificate` is an async function.*must return the certificate itself/,
  })
})

t.test('ignores unknown members of cnf (RFC 7800 §3.1), and checks every known one', async t => {
  const bench = await startBench(t)
  const { cert } = await makeCertificate('client')
  const key = makeProofKey()
  const options = { clientCertificate: () => cert, dpop: { origin: audience }, issuer: bench.issuer.url }
  const api = await startBench(t, options, bench.key)
  const x5t = thumbprintOf(cert)
  let made = 0
  const call = async (cnf: unknown, scheme: 'Bearer' | 'DPoP'): Promise<number> => {
    const token = bench.token({ cnf })
    const ath = createHash('sha256').update(token).digest('base64url')
    const iat = Math.floor(bench.clock.now / 1000)
    const claims = { htm: 'GET', htu: `${audience}/read`, iat, jti: `cnf-${(made += 1)}`, ath }
    const proof = scheme === 'DPoP' ? { dpop: makeProof(key, claims) } : {}
    const headers = { authorization: `${scheme} ${token}`, ...proof }
    return (await api.app.inject({ url: '/read', headers })).statusCode
  }
  const jkt = key.thumbprint
  for (const cnf of [
    { jkt },
    { jkt, kid: 'one' },
    { jkt, jwk: key.publicJwk },
    { jkt, osc: { id: 1 }, jku: 'https://evil.example/keys' },
    { jkt, 'x5t#S256': x5t, kid: 'one' },
  ])
    t.equal(await call(cnf, 'DPoP'), 200, JSON.stringify(cnf))
  t.equal(await call({ 'x5t#S256': x5t, 'x5rt#S256': 'x' }, 'Bearer'), 200)
  for (const cnf of [
    {},
    { kid: 'one' },
    { jwk: key.publicJwk },
    { JKT: jkt },
    { jkt: [jkt] },
    { jkt: null },
    { jkt: '' },
    { jkt, 'x5t#S256': null },
    { jkt, 'x5t#S256': [x5t] },
    { jkt, 'x5t#S256': 'other' },
    [jkt],
    jkt,
    null,
    false,
    0,
  ])
    for (const scheme of ['Bearer', 'DPoP'] as const)
      t.equal(await call(cnf, scheme), 401, `${scheme} ${JSON.stringify(cnf)}`)
  t.equal(await call({ jkt, kid: 'one' }, 'Bearer'), 401, 'and it is still no bearer token')
  t.equal(await call(JSON.parse(`{"__proto__":{"jkt":"${jkt}"}}`), 'DPoP'), 401)
})

function throwIt(thrown: unknown): never {
  throw thrown
}

/** A value that throws whatever is done with it. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function foreign(code: string): unknown {
  return runInNewContext(code)
}
