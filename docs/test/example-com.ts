import dns from 'node:dns'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import { createTestIssuer } from 'oauth-test-issuer'
import { generate } from 'selfsigned'

const issuerUrl = 'https://login.example.com'
const audience = 'https://receipts.example.com'

/** What the environment of the examples holds. */
export interface Secrets {
  readonly clientSecret: string
  /** PEM */
  readonly key: string
  /** PEM */
  readonly certificate: string
}

/**
 * From here on this process talks to an internet of its own: `login.example.com` is a real issuer, every other host
 * with TLS is an API behind the resource server, and there is nothing else.
 */
export async function openExampleCom(): Promise<Secrets> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'example.com' }], {
    keyType: 'ec',
    algorithm: 'sha256',
  })
  const issuer = await createTestIssuer({ listen: false, origin: issuerUrl })
  const { clientSecret } = issuer.registerClient({
    clientId: 'payment',
    audience,
    scopes: ['receipts:read', 'receipts:write'],
  })
  const api = fastify({
    serverFactory: toApi =>
      createServer({ key, cert }, async (request, response) => {
        if (request.headers.host !== new URL(issuerUrl).host) return toApi(request, response)
        const body = await request.toArray().then(chunks => Buffer.concat(chunks as Buffer[]))
        const answer = await issuer.fetch(`${issuerUrl}${request.url}`, {
          method: request.method ?? 'GET',
          headers: request.headers as Record<string, string>,
          ...(body.length === 0 ? {} : { body }),
        })
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
      }),
  })
  redirectTo(() => (api.server.address() as AddressInfo).port)
  await api.register(resourceServer, { issuer: issuerUrl, audience })
  api.post('/receipts', async (_, reply) => reply.code(201).send({ number: 'R-1', cents: 1995 }))
  await api.listen({ host: '127.0.0.1', port: 0 })
  return { clientSecret, key, certificate: cert }
}

function redirectTo(port: () => number): void {
  const connect = (options: tls.ConnectionOptions, connected?: () => void): tls.TLSSocket =>
    realConnect({ ...options, host: '127.0.0.1', port: port(), rejectUnauthorized: false }, connected)
  const realConnect = tls.connect
  Object.assign(tls, { connect })
  const realLookup = dns.lookup as (host: string, ...rest: unknown[]) => void
  Object.assign(dns, {
    lookup(host: string, ...rest: unknown[]) {
      if (host === 'localhost' || host === '127.0.0.1') return realLookup(host, ...rest)
      process.nextTick(rest.at(-1) as (error: Error) => void, new Error(`the examples have no host ${host}`))
    },
  })
}
