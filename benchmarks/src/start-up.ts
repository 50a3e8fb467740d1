// Measures one start in a fresh process: `node --expose-gc start-up.js <what>` prints milliseconds and bytes of heap.
import Fastify from 'fastify'
import { heapUsed } from './harness/heap.js'

const starts: Readonly<Record<string, () => Promise<unknown>>> = {
  async 'fastify-resource-server'() {
    const app = Fastify()
    const { default: resourceServer } = await import('fastify-resource-server')
    await app.register(resourceServer, { issuer: 'http://127.0.0.1:1', audience: 'https://api.example.com' })
    await app.ready()
  },
  async 'fastify-token-client'() {
    const app = Fastify()
    const { default: tokenClient } = await import('fastify-token-client')
    await app.register(tokenClient, {
      name: 'orders',
      baseUrl: 'https://orders.example.com',
      tokenEndpoint: 'http://127.0.0.1:1/token',
      clientId: 'payment',
      clientSecret: 'a secret of this measurement alone',
      prefetch: 'lazy',
    })
    await app.ready()
  },
  async '@fastify/jwt + get-jwks'() {
    const app = Fastify()
    const [{ default: fastifyJwt }, { default: buildGetJwks }] = await Promise.all([
      import('@fastify/jwt'),
      import('get-jwks'),
    ])
    const getJwks = buildGetJwks()
    await app.register(fastifyJwt, {
      secret: async () => getJwks.getPublicKey({ domain: '', kid: '', alg: '' }),
    })
    await app.ready()
  },
  async undici() {
    await import('undici')
  },
  async 'oauth-test-issuer'() {
    const { createTestIssuer } = await import('oauth-test-issuer')
    await createTestIssuer()
  },
  async 'oauth2-mock-server'() {
    const { OAuth2Server } = await import('oauth2-mock-server')
    const server = new OAuth2Server()
    await server.issuer.keys.generate('RS256')
    await server.start(0, '127.0.0.1')
  },
}

async function timed(): Promise<number> {
  const startedAt = performance.now()
  await start?.()
  return performance.now() - startedAt
}

const what = process.argv[2] ?? ''
const start = starts[what]
if (start === undefined) throw new Error(`there is no start of ${what}`)
// Fastify loads most of itself when the first instance is made, which is not the plugin's doing.
Fastify()
const before = heapUsed()
const first = await timed()
const bytes = heapUsed() - before
// A test suite starts many: all but the first find the modules loaded.
const again = await timed()
process.stdout.write(JSON.stringify({ ms: first, againMs: again, bytes }), () => process.exit())
