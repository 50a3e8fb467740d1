import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { createSwitchboard, trialOrder, type Trial } from '../../faults/switchboard.js'
import { switches } from '../../faults/switches.js'
import type { Exchange } from '../../live/exchange.js'
import { belongsTo, type Journal } from '../../live/journal.js'
import type { Backstage } from '../backstage.js'
import { cartCount } from '../cart.js'
import { describeExchange } from '../describe-exchange.js'
import { loopbackOnly } from '../loopback-only.js'
import type { PaymentsApi } from '../payments-api.js'
import { loadCart } from './cart-cookie.js'

interface LiveRoutesOptions extends Backstage {
  readonly payments: PaymentsApi
}

const flip = Type.Object(
  { name: Type.Enum(switches.map(({ name }) => name)), wanted: Type.Enum(['break', 'heal']) },
  { additionalProperties: false },
)
const query = Type.Object({ order: Type.Optional(Type.String({ format: 'uuid' })) })
/** How many exchanges the page begins with. */
const shownAtFirst = 60
/** A comment this often keeps proxies and browsers from taking the silence for the end, in milliseconds. */
const heartbeatMs = 15_000
/** A page that doesn't read is dropped before it costs memory, in bytes. */
const mostBuffered = 1_000_000

/** What goes on behind the shop, as it happens. */
export const liveRoutes: FastifyPluginAsyncTypebox<LiveRoutesOptions> = async (
  app,
  { journal, levers, payments },
) => {
  const switchboard =
    levers &&
    createSwitchboard(levers, orderId =>
      payments.pay(trialOrder, { email: 'trial@example.com' }, 'test_visa', orderId),
    )
  app.addHook('onRequest', loopbackOnly)
  const open = new Set<Readable>()
  app.addHook('preClose', async () => {
    for (const stream of open) stream.push(null)
  })

  app.get('/live', async (request, reply) => {
    const last = switchboard?.lastTrial()
    return reply.header('cache-control', 'no-store').view('live', {
      exchanges: journal.list().slice(-shownAtFirst).map(describeExchange),
      switches: switchboard?.list() ?? [],
      last: last && { ...last, state: stateOf(last.trial, journal) },
      evidence: evidenceOf(last?.trial, journal),
      cartCount: cartCount(loadCart(request)),
    })
  })

  if (switchboard !== undefined)
    app.post('/live/switches', { schema: { body: flip } }, async (request, reply) => {
      await switchboard.flip(request.body.name, request.body.wanted)
      return reply.redirect('/live#effect', 303)
    })

  /** Server-sent events (HTML Standard §9.2): each is an exchange as the piece of HTML that stands for it. */
  app.get('/live/events', { schema: { querystring: query }, logLevel: 'warn' }, async (request, reply) => {
    const { order } = request.query
    const stream = new Readable({ read() {} })
    const heartbeat = setInterval(() => stream.push(': still here\n\n'), heartbeatMs).unref()
    const send = (exchange: Exchange): void => {
      if (!belongsTo(exchange, order)) return
      if (stream.readableLength > mostBuffered) {
        stream.destroy()
        return
      }
      render(exchange).then(
        html => stream.push(`id: ${exchange.id}\ndata: ${html.trim().replaceAll('\n', '\ndata: ')}\n\n`),
        (error: unknown) => stream.destroy(error as Error),
      )
    }
    const unfollow = journal.follow(send)
    open.add(stream)
    stream.once('close', () => {
      clearInterval(heartbeat)
      unfollow()
      open.delete(stream)
    })
    stream.push('retry: 1000\n\n')
    for (const exchange of journal.list(order).slice(-shownAtFirst)) send(exchange)
    // The connection ends with the stream: kept alive, it would hold up the close of the shop.
    reply.headers({ 'cache-control': 'no-store', connection: 'close' })
    return reply.type('text/event-stream').send(stream)
  })

  const render = (exchange: Exchange): Promise<string> =>
    app.view('exchange', { exchange: describeExchange(exchange) })
}

/** How a trial has gone so far; a receipt that was not there with the purchase may have come since. */
function stateOf(trial: Trial, journal: Journal): 'failed' | 'good' | 'waits' {
  if (trial.outcome === 'failed') return 'failed'
  const hasCome =
    trial.receipt === 'delivered' ||
    journal
      .list(trial.orderId)
      .some(
        ({ to, method, answer }) => to === 'receipts' && method === 'PUT' && (answer?.status ?? 500) < 300,
      )
  return hasCome ? 'good' : 'waits'
}

/** The line to look at: what went wrong last while a trial's receipt is not there, else where its purchase began. */
function evidenceOf(trial: Trial | undefined, journal: Journal): { id: number; why?: string } | undefined {
  if (trial === undefined) return undefined
  if (trial.outcome === 'paid' && stateOf(trial, journal) === 'good') return journal.list(trial.orderId)[0]
  const services = journal.list().filter(({ from }) => from !== 'browser')
  const culprit = services.map(describeExchange).findLast(({ outcome }) => outcome !== 'good')
  return culprit && { id: culprit.id, why: culprit.story }
}
