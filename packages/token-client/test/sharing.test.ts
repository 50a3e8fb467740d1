import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import {
  createTokenClient,
  redisTokenStore,
  type TokenClient,
  type TokenClientOptions,
  type TokenStore,
} from 'fastify-token-client'
import { noRedis, startRedis } from 'test-support/redis-server'
import { createSeal, noSeal } from '#src/share/seal.js'
import { shareTokens } from '#src/share/share-tokens.js'

const audience = 'https://receipts.example.com'
const secret = randomBytes(16).toString('hex')
const storeKey = randomBytes(32).toString('base64')

async function startIssuer(t: Test): Promise<TestIssuer> {
  const issuer = await createTestIssuer({
    clients: [
      { clientId: 'payment', clientSecret: secret, audience, scopes: ['receipts:write', 'receipts:read'] },
    ],
  })
  t.teardown(() => issuer.close())
  return issuer
}

const tokenRequests = ({ requests }: TestIssuer): number => requests.count('token')

function replica(
  t: Test,
  issuer: TestIssuer,
  store: TokenStore,
  { timeoutMs = 10_000, ...more }: Partial<TokenClientOptions> & { timeoutMs?: number } = {},
): TokenClient {
  const client = createTokenClient({
    baseUrl: audience,
    issuer: issuer.url,
    clientId: 'payment',
    clientSecret: secret,
    scopes: ['receipts:write'],
    resource: audience,
    tokenStore: { store, encryptionKeys: [storeKey], timeoutMs }, // however busy the machine is
    ...more,
  })
  t.teardown(() => client.close())
  return client
}

/** A store in this process, whose entries can be looked at. */
function memoryStore(): TokenStore & { entries: Map<string, string>; locks: Map<string, string> } {
  const entries = new Map<string, string>()
  const locks = new Map<string, string>()
  return {
    entries,
    locks,
    get: async key => entries.get(key),
    set: async (key, value) => void entries.set(key, value),
    lock: async (key, owner) => {
      if (locks.has(key)) return false
      locks.set(key, owner)
      return true
    },
    unlock: async (key, owner) => void (locks.get(key) === owner && locks.delete(key)),
  }
}

function failuresOf(t: Test): { operation: string; reason: string }[] {
  const seen: { operation: string; reason: string }[] = []
  const note = (message: unknown): void => void seen.push(message as (typeof seen)[number])
  subscribe('fastify-token-client:store-failed', note)
  t.teardown(() => unsubscribe('fastify-token-client:store-failed', note))
  return seen
}

const said = async (child: ChildProcess): Promise<string> => ((await once(child, 'message')) as [string])[0]

t.test('eight processes without cached tokens send one token request', { skip: noRedis }, async t => {
  const { socket } = await startRedis(t)
  const issuer = await startIssuer(t)
  const replicas = Array.from({ length: 8 }, () =>
    fork(new URL('sharing-process.js', import.meta.url), {
      env: {
        PATH: process.env['PATH'],
        REDIS_SOCKET: socket,
        ISSUER: issuer.url,
        CLIENT_SECRET: secret,
        STORE_KEY: storeKey,
      },
      execArgv: [],
    }),
  )
  await Promise.all(replicas.map(said)) // all are connected before the first one asks
  const tokens = await Promise.all(
    replicas.map(child => {
      const token = said(child)
      child.send('go')
      return token
    }),
  )
  t.equal(new Set(tokens).size, 1, 'all have the same token')
  t.equal(tokenRequests(issuer), 1)
})

t.test(
  'access to the store does not allow reading, changing or moving a token',
  { skip: noRedis },
  async t => {
    const { socket } = await startRedis(t)
    const redis = new Redis(socket)
    t.teardown(() => redis.disconnect())
    const issuer = await startIssuer(t)
    const { accessToken } = await replica(t, issuer, redisTokenStore(redis)).getToken()
    const [key = ''] = await redis.keys('oauth-token:*')
    const value = (await redis.get(key)) ?? ''
    t.notMatch(key + value, accessToken)
    t.notMatch(key + value, secret)
    t.notMatch(key, /payment|receipts/)
    t.ok(
      (await redis.pttl(key)) <= issuer.clock.now() - Date.now() + 3_600_000,
      'the entry expires with the token',
    )
    t.equal(await redis.exists(`${key}:lock`), 0, 'the lock is given back')

    const [id, text = ''] = value.split('.')
    const bytes = Buffer.from(text, 'base64url')
    bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40)
    await redis.set(key, `${id}.${bytes.toString('base64url')}`)
    const next = await replica(t, issuer, redisTokenStore(redis)).getToken()
    t.not(next.accessToken, accessToken, 'a changed entry is as good as none')
  },
)

t.test('calls continue after the store fails', { skip: noRedis }, async t => {
  const { socket, stop } = await startRedis(t)
  const redis = new Redis(socket, { retryStrategy: () => 20 })
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  const issuer = await startIssuer(t)
  const failures = failuresOf(t)
  const first = replica(t, issuer, redisTokenStore(redis))
  const token = await first.getToken()
  await stop()
  t.equal((await first.getToken()).accessToken, token.accessToken, 'a token at hand needs no store')
  const without = replica(t, issuer, redisTokenStore(redis), { timeoutMs: 20 })
  t.ok(await without.getToken(), 'without one, the server is asked')
  t.equal(tokenRequests(issuer), 2)
  t.match(failures, [{ operation: 'get' }])
})

/** Asks for tokens with this store, and counts how often it had to. */
function asking(store: TokenStore): { ask: () => Promise<unknown>; asked: () => number; failures: string[] } {
  let asked = 0
  const failures: string[] = []
  const ask = shareTokens(
    async () => {
      asked += 1
      return { accessToken: 'a', requestedAt: Date.now(), expiresIn: 60, scope: undefined }
    },
    {
      store,
      seal: noSeal,
      key: 'k',
      freshUntil: () => Infinity,
      expiresAt: ({ requestedAt }) => requestedAt + 60_000,
      requestTimeoutMs: 30, // bounds the wait for the lock; nothing here answers by the network
      storeTimeoutMs: 10,
      now: Date.now,
      onStoreFailure: (operation, reason) => void failures.push(`${operation}: ${reason}`),
    },
  )
  return { ask: () => ask(undefined), asked: () => asked, failures }
}

t.test('the wait for a lock that is never released is limited', async t => {
  let lockAsked = 0
  const lock = async (): Promise<boolean> => {
    lockAsked += 1
    return false
  }
  const { ask, asked, failures } = asking({ ...memoryStore(), lock })
  t.ok(await ask())
  t.ok(lockAsked >= 1, 'it had waited for the lock')
  t.equal(asked(), 1)
  t.strictSame(failures, [])
})

const hanging = (): Promise<never> => new Promise(() => {})

t.test('a store operation that hangs is logged, and the call continues without the store', async t => {
  const [get, set, lock, unlock] = await Promise.all(
    (['get', 'set', 'lock', 'unlock'] as const).map(async operation => {
      const { ask, asked, failures } = asking({ ...memoryStore(), [operation]: hanging })
      t.ok(await ask(), `${operation} hangs`)
      t.equal(asked(), 1)
      return failures
    }),
  )
  const reason = 'the token store did not respond within 10 ms'
  t.strictSame(
    [get, set, lock, unlock],
    ['get', 'set', 'lock', 'unlock'].map(operation => [`${operation}: ${reason}`]),
  )
})

t.test('a store operation that throws is logged, and the call continues without the store', async t => {
  const issuer = await startIssuer(t)
  const failures = failuresOf(t)
  const broken: TokenStore = {
    ...memoryStore(),
    get: () => {
      throw new Error('no such host')
    },
  }
  t.ok(await replica(t, issuer, broken).getToken())
  t.match(failures, [{ name: 'client', operation: 'get', reason: 'no such host' }])
})

const now = Date.now()
const garbage: readonly unknown[] = [
  '',
  '{',
  '[]',
  'null',
  '"text"',
  '{"accessToken":1}',
  `{"accessToken":"","requestedAt":${now}}`,
  `{"accessToken":"b","requestedAt":"${now}"}`,
  `{"accessToken":"b","requestedAt":${now},"expiresIn":"soon"}`,
  `{"accessToken":"b","requestedAt":${now},"scope":["read"]}`,
  null,
  Buffer.from(`{"accessToken":"b","requestedAt":${now}}`),
  { accessToken: 'b', requestedAt: now },
  0,
  false,
  Symbol('text'),
  () => 'text',
]
for (const entry of garbage)
  t.test(`${inspect(entry)} in the store is not a token`, async t => {
    const { ask, asked, failures } = asking({ ...memoryStore(), get: async () => entry as never })
    t.match(await ask(), { accessToken: 'a' })
    t.equal(asked(), 1)
    t.strictSame(failures, [])
  })

const faults: Readonly<Record<string, () => never>> = {
  throws: () => {
    throw new Error('broken')
  },
  'throws undefined': () => {
    throw undefined
  },
  'rejects with undefined': () => Promise.reject() as never,
  'rejects with text': () => Promise.reject('broken') as never,
  'returns nothing': () => undefined as never,
}
for (const operation of ['get', 'set', 'lock', 'unlock'] as const)
  for (const [what, fault] of Object.entries(faults))
    t.test(`if ${operation} of a store ${what}, no call fails`, async t => {
      const { ask, asked } = asking({ ...memoryStore(), [operation]: fault })
      t.match(await ask(), { accessToken: 'a' })
      t.equal(asked(), 1)
    })

t.test('a token that the API refused is not taken from the store again', async t => {
  const issuer = await startIssuer(t)
  const store = memoryStore()
  const client = replica(t, issuer, store)
  const refused = await client.getToken()
  client.invalidate(refused)
  const next = await client.getToken()
  t.not(next.accessToken, refused.accessToken)
  t.equal(
    (await replica(t, issuer, store).getToken()).accessToken,
    next.accessToken,
    'others get the new one',
  )
  t.equal(tokenRequests(issuer), 2)
})

t.test('different token requests share no token', async t => {
  const issuer = await startIssuer(t)
  const store = memoryStore()
  const write = await replica(t, issuer, store).getToken()
  const read = await replica(t, issuer, store, { scopes: ['receipts:read'] }).getToken()
  t.strictSame(write.scopes, ['receipts:write'])
  t.strictSame(read.scopes, ['receipts:read'])
  t.equal(store.entries.size, 2)
})

t.test('the first key encrypts, and all keys decrypt', async t => {
  const [older, newer] = [randomBytes(32), randomBytes(32)]
  const sealed = createSeal([older]).encrypt('a token', 'here')
  t.equal(createSeal([newer, older]).decrypt(sealed, 'here'), 'a token')
  t.equal(createSeal([newer]).decrypt(sealed, 'here'), undefined)
  t.equal(createSeal([older]).decrypt(sealed, 'elsewhere'), undefined, 'an entry cannot be moved')
  t.equal(createSeal([older]).decrypt('', 'here'), undefined)
})

t.test('the error for an invalid option names it', async t => {
  const options = { baseUrl: audience, issuer: 'https://login.example.com', clientId: 'a', clientSecret: 'b' }
  const cases: [object, RegExp][] = [
    [{ store: memoryStore() }, /tokenStore\.encryptionKeys.*openssl rand -base64 32/],
    [{ store: memoryStore(), encryptionKeys: ['short'] }, /tokenStore\.encryptionKeys.*32-byte keys/],
    [{ store: {}, encryptionKeys: 'none' }, /tokenStore\.store.*get, set, lock and unlock/],
    [{ encryptionKeys: [storeKey] }, /tokenStore\.store/],
    [memoryStore(), /no option `tokenStore\.entries`/],
    [{ store: memoryStore(), encryptionKeys: 'none', timeoutMs: 0 }, /tokenStore\.timeoutMs/],
  ]
  for (const [tokenStore, message] of cases)
    t.throws(() => createTokenClient({ ...options, tokenStore: tokenStore as never }), message)
  t.doesNotThrow(() =>
    createTokenClient({ ...options, tokenStore: { store: memoryStore(), encryptionKeys: 'none' } }),
  )
})
