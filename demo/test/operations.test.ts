import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import t from 'tap'
import { closeConnections } from '#src/operations/close-connections.js'
import { health } from '#src/operations/health.js'
import { problemDetails } from '#src/operations/problem-details.js'
import { openShop } from './open-shop.js'

t.test('each service says that it lives, that it is ready, and what its API is', async t => {
  const { payments, receipts } = await openShop(t)
  for (const [service, scopes] of [
    [payments, ['payments:read', 'payments:write']],
    [receipts, ['receipts:read', 'receipts:write']],
  ] as const) {
    t.strictSame((await service.inject('/health')).json(), { status: 'ok' })
    t.strictSame((await service.inject('/ready')).json(), { status: 'ready', missing: [] })
    t.match((await service.inject('/docs')).body, 'swagger-ui')
    const { components, paths } = (await service.inject('/docs/json')).json<{
      components: { securitySchemes: { oauth2: { flows: { clientCredentials: { scopes: object } } } } }
      paths: Record<string, Record<string, { security?: Record<string, string[]>[] }>>
    }>()
    t.strictSame(Object.keys(components.securitySchemes.oauth2.flows.clientCredentials.scopes), scopes)
    const operations = Object.values(paths).flatMap(path => Object.values(path))
    t.ok(operations.length > 0)
    t.ok(
      operations.every(({ security = [] }) =>
        security.some(one =>
          Object.values(one)
            .flat()
            .some(scope => scopes.includes(scope as never)),
        ),
      ),
      'each operation says which scope it wants',
    )
  }
})

t.test('not ready: 503 names what is missing, while the process lives', async t => {
  const app = fastify()
  await app.register(problemDetails)
  await app.register(health, {
    checks: { database: () => Promise.reject(new Error('password=secret')), disk: async () => 1 },
  })
  const answer = await app.inject('/ready')
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { status: 'not ready', missing: ['database'] })
  t.equal(answer.headers['cache-control'], 'no-store')
  t.equal((await app.inject('/health')).statusCode, 200)
})

t.test(
  'closing answers what was asked before, and waits for no connection that brings nothing more',
  async t => {
    const app = fastify()
    closeConnections(app)
    let finish: (() => void) | undefined
    const asked = new Promise<void>(resolve => {
      app.get('/whole', async () => {
        resolve()
        await new Promise<void>(go => (finish = go))
        return 'finished'
      })
    })
    const body = new PassThrough()
    app.get('/half', (_request, reply) => reply.type('text/plain').send(body))
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    const silent = connect(Number(new URL(url).port), '127.0.0.1')
    await once(silent, 'connect')

    // Connections that are kept after an answer, as services keep theirs.
    const agent = new Agent({ keepAlive: true })
    t.teardown(() => agent.destroy())
    const answerTo = async (path: string): Promise<IncomingMessage> => {
      const [answer] = await once(get(url + path, { agent }), 'response')
      return answer as IncomingMessage
    }
    body.write('begun, ')
    const half = await answerTo('/half')
    const whole = answerTo('/whole')
    await asked
    const closed = app.close()
    await once(silent, 'close')
    finish?.()
    body.end('finished')
    t.equal(await text(await whole), 'finished')
    t.equal((await whole).headers.connection, 'close', 'the client is told')
    t.equal(await text(half), 'begun, finished')
    await closed
  },
)
