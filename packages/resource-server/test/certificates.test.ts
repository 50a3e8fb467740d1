import { createHash, X509Certificate } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { makeCertificate } from './certificate.js'
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

t.test('the certificate of the TLS connection', async t => {
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

t.test('over HTTP/2, with a proof as well', async t => {
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

t.test('a plain connection has no certificate', async t => {
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

t.test('the certificate that a trusted proxy passes on', async t => {
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

t.test('refused where nobody said how to see certificates, and with members that are not known', async t => {
  const bench = await startBench(t)
  const { cert } = await makeCertificate('client')
  t.equal((await bench.call(bound(bench, cert))).statusCode, 401)
  t.equal(bench.lastReason(), 'binding')
  const app = fastify()
  protect(t, app, bench, { clientCertificate: () => cert })
  const call = async (token: string): Promise<number> =>
    (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode
  t.equal(await call(bound(bench, cert)), 200)
  t.equal(await call(bound(bench, cert, { kid: 'one' })), 401, 'a binding that nobody checks')
  t.equal(await call(bound(bench, cert, { jkt: makeProofKey().thumbprint })), 401, 'both, and one is missing')
  await t.rejects(startBench(t, { clientCertificate: 'header' as never }), {
    message: /option `clientCertificate` is "header"; expected 'socket', or a function/,
  })
})

t.test('bound to a certificate and to a key: both are needed', async t => {
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
