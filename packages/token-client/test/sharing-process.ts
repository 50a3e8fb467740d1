// One replica: starts cold, gets a token through the shared store, and says which.
import { Redis } from 'ioredis'
import { createTokenClient, redisTokenStore } from 'fastify-token-client'

const { REDIS_SOCKET = '', ISSUER, CLIENT_SECRET, STORE_KEY } = process.env
const redis = new Redis(REDIS_SOCKET, { lazyConnect: true })
await redis.connect()
const client = createTokenClient({
  baseUrl: 'https://receipts.example.com',
  issuer: ISSUER ?? '',
  clientId: 'payment',
  clientSecret: CLIENT_SECRET,
  scopes: ['receipts:write'],
  resource: 'https://receipts.example.com',
  // However busy the machine is.
  tokenStore: { store: redisTokenStore(redis), encryptionKeys: [STORE_KEY ?? ''], timeoutMs: 10_000 },
  issuerTimeoutMs: 30_000,
})
process.once('message', async () => {
  const { accessToken } = await client.getToken()
  process.send?.(accessToken)
  await client.close()
  redis.disconnect()
  process.disconnect?.()
})
process.send?.('ready')
