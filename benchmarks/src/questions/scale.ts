import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import { createTokenClient, type TokenStore } from 'fastify-token-client'
import { createTestIssuer } from 'oauth-test-issuer'
import { median } from '../harness/interval.js'
import { audience } from '../harness/issuer.js'
import type { Fact, Question } from './question.js'

const replicaCounts = [1, 10, 100] as const
const catalogueSizes = [10, 1_000, 10_000] as const
/** Of the store, one way and back; a Redis in the same data centre. */
const storeLatencyMs = 1

export const scale: Question = {
  name: 'scale',
  title: 'Many replicas, and many scopes',
  method: `The replicas are token clients that share one token store. All replicas are simulated in one process, and each store command takes ${storeLatencyMs} ms. All replicas need their first token at the same moment, and the issuer takes 50 ms to respond. The last rows contain the startup time of an application whose option \`scopes\` has the given number of entries.`,
  async answer({ slices, tell }) {
    const facts: Fact[] = []
    for (const count of replicaCounts) {
      tell(`${count} replicas`)
      facts.push(...(await shareOneStore(count)))
    }
    for (const size of catalogueSizes) {
      tell(`a catalogue of ${size} scopes`)
      const starts: number[] = []
      for (let start = 0; start < slices; start += 1) starts.push(await timeStart(size))
      facts.push({ what: `start with ${thousands(size)} scopes`, value: median(starts), unit: 'ms' })
    }
    return { facts }
  },
}

async function shareOneStore(count: number): Promise<Fact[]> {
  const issuer = await createTestIssuer()
  issuer.fail('token', { delayMs: 50 })
  const { clientId, clientSecret } = issuer.registerClient({
    clientId: 'payment',
    scopes: ['orders:read'],
    audience,
  })
  const shared = createSharedMemory()
  const clients = Array.from({ length: count }, () =>
    createTokenClient({
      baseUrl: 'https://orders.example.com',
      tokenEndpoint: issuer.tokenEndpoint,
      allowInsecureHttp: true,
      clientId,
      clientSecret,
      scopes: ['orders:read'],
      tokenStore: { store: shared.store, encryptionKeys: [Buffer.alloc(32, 1).toString('base64')] },
    }),
  )
  try {
    const startedAt = performance.now()
    await Promise.all(clients.map(client => client.getToken()))
    const ms = performance.now() - startedAt
    const replicas = `${count} ${count === 1 ? 'replica' : 'replicas'}`
    return [
      { what: `${replicas}: token requests to the issuer`, value: issuer.requests.count('token'), unit: '' },
      { what: `${replicas}: store commands per replica`, value: shared.commands() / count, unit: '' },
      { what: `${replicas}: until all have a token`, value: ms, unit: 'ms' },
    ]
  } finally {
    await Promise.all([...clients.map(client => client.close()), issuer.close()])
  }
}

/** A store in memory that answers as slowly as one on the network. */
function createSharedMemory(): { readonly store: TokenStore; commands(): number } {
  const values = new Map<string, string>()
  const owners = new Map<string, string>()
  let commands = 0
  async function command<Result>(run: () => Result): Promise<Result> {
    commands += 1
    await sleep(storeLatencyMs)
    return run()
  }
  return {
    commands: () => commands,
    store: {
      get: key => command(() => values.get(key)),
      set: (key, value) => command(() => void values.set(key, value)),
      lock: (key, owner) => command(() => !owners.has(key) && owners.set(key, owner).get(key) === owner),
      unlock: (key, owner) => command(() => void (owners.get(key) === owner && owners.delete(key))),
    },
  }
}

async function timeStart(size: number): Promise<number> {
  const scopes = Array.from({ length: size }, (_, n) => `orders:read:${n}`)
  const app = Fastify()
  const startedAt = performance.now()
  await app.register(resourceServer, {
    issuer: 'https://login.example.com',
    audience,
    scopes,
    prefetch: 'lazy',
  })
  for (const [index, scope] of scopes.slice(0, 100).entries())
    app.get(`/${index}`, { config: { oauth: { scopes: [scope] } } }, async () => scope)
  await app.ready()
  const ms = performance.now() - startedAt
  await app.close()
  return ms
}

const thousands = (count: number): string => count.toLocaleString('en')
