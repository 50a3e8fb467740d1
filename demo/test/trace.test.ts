import fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { traceContext, tracedRequests } from '#src/operations/trace-context.js'

/** A service with its log. */
async function open(log: string[]): Promise<FastifyInstance> {
  const stream = { write: (line: string): void => void log.push(line) }
  const app = fastify({ ...tracedRequests, logger: { level: 'info', stream } })
  await app.register(traceContext)
  return app
}

t.test('one trace id appears in the log lines of all services', async t => {
  const logs: [string[], string[]] = [[], []]
  const called = await open(logs[1])
  called.get('/', async ({ id, headers }) => ({ id, traceparent: headers['traceparent'] }))
  const url = await called.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => called.close())
  const calling = await open(logs[0])
  calling.get('/', async () => (await fetch(url)).json())
  t.teardown(() => calling.close())

  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const given = `00-${traceId}-00f067aa0ba902b7-01`
  const answer = await calling.inject({ url: '/', headers: { traceparent: given } })
  t.match(answer.json(), { id: traceId, traceparent: new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`) })
  t.not(answer.json<{ traceparent: string }>().traceparent, given, 'the parent is the calling service')
  for (const log of logs) {
    const lines = log.filter(line => line.includes('request'))
    t.equal(lines.length, 2)
    t.ok(
      lines.every(line => line.includes(`"traceId":"${traceId}"`)),
      'in the first and the last line',
    )
  }

  for (const bad of [
    '',
    'x',
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
  ]) {
    const { id } = (await calling.inject({ url: '/', headers: { traceparent: bad } })).json<{ id: string }>()
    t.match(id, /^[0-9a-f]{32}$/)
    t.not(id, traceId)
  }
})
