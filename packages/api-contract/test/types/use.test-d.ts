import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import fastify from 'fastify'
import { answer, type Calls, type Client } from 'fastify-api-contract'
import resourceServer, { defineResourceServer } from 'fastify-resource-server'
import tokenClient, {
  createTokenClient,
  type TokenClient,
  type TokenClientFor,
  type TokenClientOptions,
} from 'fastify-token-client'
import { Pool } from 'undici'
import { receiptsApi } from './receipts-api.js'

const app = fastify()
app.route(
  receiptsApi.route('putReceipt', async request => {
    const id: string = request.params.paymentId
    const cents: number = request.body.cents
    const client: string | null = request.auth.clientId
    if (cents > 5) return answer(409, { title: `${client}` })
    return answer(201, { number: id, currency: 'EUR' })
  }),
)
app
  .withTypeProvider<TypeBoxTypeProvider>()
  .route(
    receiptsApi.route('getReceipt', ({ params }) =>
      answer(200, { number: params.paymentId, currency: 'USD' }),
    ),
  )
app.route(
  receiptsApi.route('listReceipts', async ({ query }) => {
    const page: number = query.page ?? 0
    const tags: string[] | undefined = query.tag
    return answer(200, [{ number: `${page}${String(tags)}`, currency: 'EUR' }], { etag: '"1"' })
  }),
)
app.route(receiptsApi.route('deleteReceipt', async () => answer(204)))
app.route(
  receiptsApi.route('status', async request => {
    const none: null = request.auth
    return answer(200, String(none))
  }),
)
app.route({ ...receiptsApi.route('deleteReceipt', async () => answer(404, { title: 'No' })), bodyLimit: 5 })
await app.register(receiptsApi.requireRoutes)
await app.register(receiptsApi.requireRoutes, { prefix: '/v1' })

const pool = new Pool('http://localhost')
const used = receiptsApi.pick('putReceipt', 'deleteReceipt', 'listReceipts')
const receipts = used.over(pool)
declare const client: TokenClient
const asClient: Client = client
used.over(({ scopes }) => (scopes.length > 0 ? client : asClient))
const calls: Calls<typeof used.operations> = receipts
const put = await calls.call('putReceipt', { params: { paymentId: '1' }, body: { title: 'x', cents: 1 } })
if (put.status === 201) {
  const currency: 'EUR' | 'USD' = put.body.currency
  void currency
} else {
  const title: string = put.body.title
  const wait: number | undefined = put.retryAfterMs
  void [title, wait]
}
const gone = await receipts.call('deleteReceipt', {
  params: { paymentId: '1' },
  signal: AbortSignal.timeout(1),
})
if (gone.status === 204) {
  const none: undefined = gone.body
  void [none]
}
await receipts.call('listReceipts')
await receipts.call('listReceipts', {})
await receipts.call('listReceipts', { query: { page: 1, tag: ['a'] } })

// The plugins' option `api`
const issuer = 'https://login.example.com'
const connection = { baseUrl: 'https://receipts.example.com', issuer, clientId: 'x', clientSecret: 'x' }
declare module 'fastify' {
  interface FastifyInstance {
    receipts: TokenClientFor<typeof used>
  }
}
await app.register(resourceServer, { issuer, api: receiptsApi })
await app.register(resourceServer, { issuer, api: { ...receiptsApi, audience: 'staging' }, scopes: ['x'] })
await app.register(tokenClient, { name: 'receipts', ...connection, api: used, tokens: 'per-operation' })
const decorated = await app.receipts.call('deleteReceipt', { params: { paymentId: '1' } })
decorated.status satisfies 204 | 404
const made: TokenClientFor<typeof used> = createTokenClient({ ...connection, api: used, scopes: ['x'] })
const listed = await made.call('listReceipts')
listed.body[0]?.currency satisfies 'EUR' | 'USD' | undefined
await used.over(made.onBehalfOf('token')).call('listReceipts')
const plain: TokenClient = createTokenClient(connection)
declare const options: TokenClientOptions
const unknownApi: TokenClient = createTokenClient(options)
void [plain, unknownApi, defineResourceServer]
