import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { createSwitchboard, trialOrder, type Switchboard } from '../../faults/switchboard.js'
import { switches } from '../../faults/switches.js'
import type { Exchange } from '../../live/exchange.js'
import type { Backstage } from '../backstage.js'
import { cartCount } from '../cart.js'
import { describeExchange } from '../describe-exchange.js'
import { openEventStream, type EventStream } from '../event-stream.js'
import { loopbackOnly } from '../loopback-only.js'
import type { PaymentsApi } from '../payments-api.js'
import { isOfOrder, showFlow } from '../show-flow.js'
import { showTrial, type TrialView } from '../show-trial.js'
import { loadCart } from './cart-cookie.js'

interface LiveRoutesOptions extends Backstage {
  readonly payments: PaymentsApi
}

const everything = 'everything'
const flip = Type.Object(
  {
    name: Type.Enum([...switches.map(({ name }) => name), everything]),
    wanted: Type.Enum(['break', 'heal']),
  },
  { additionalProperties: false },
)
const query = Type.Object({ order: Type.Optional(Type.String({ format: 'uuid' })) })
/** Number of exchanges that the page shows at first. */
const shownAtFirst = 60
/** Changes within this time, in milliseconds, are sent together. */
const panelPauseMs = 100

/** The token flow page and its events. */
export const liveRoutes: FastifyPluginAsyncTypebox<LiveRoutesOptions> = async (
  app,
  { journal, levers, payments, tryIt },
) => {
  const board =
    levers &&
    createSwitchboard(levers, orderId =>
      payments.pay(trialOrder, { email: 'trial@example.com' }, 'test_visa', orderId),
    )
  app.addHook('onRequest', loopbackOnly)
  const open = new Set<EventStream>()
  const panels = new Set<EventStream>()
  app.addHook('preClose', async () => {
    for (const events of open) events.close()
  })

  app.get('/live', async (request, reply) => {
    const latest = journal.list().slice(-shownAtFirst)
    return reply.header('cache-control', 'no-store').view('live', {
      ...showFlow(journal, latest),
      ...panelOf(board),
      tryIt,
      cartCount: cartCount(loadCart(request)),
    })
  })

  if (board !== undefined) {
    app.post('/live/switches', { schema: { body: flip } }, async (request, reply) => {
      const { name, wanted } = request.body
      await (name === everything ? board.reset() : board.flip(name, wanted))
      return reply.redirect('/live#effect', 303)
    })
    followPanel(board)
  }

  /** Each event is HTML of a request or of the switches, or the id of this start. */
  app.get('/live/events', { schema: { querystring: query }, logLevel: 'warn' }, (request, reply) => {
    const { order } = request.query
    const send = (exchange: Exchange): void => {
      if (order !== undefined && !isOfOrder(exchange, order)) return
      events.send('message', renderRow(exchange))
    }
    const unfollow = journal.follow(send)
    const stream = openEventStream(reply, () => {
      unfollow()
      open.delete(events)
      panels.delete(events)
    })
    const { events } = stream
    open.add(events)
    events.send('boot', journal.boot)
    if (order === undefined && board !== undefined) {
      panels.add(events)
      events.send('panel', renderPanel(board))
    }
    for (const exchange of journal.list().slice(order === undefined ? -shownAtFirst : 0)) send(exchange)
    return stream.reply
  })

  function panelOf(switchboard: Switchboard | undefined): object {
    const trial = switchboard?.lastTrial()
    const view: TrialView | undefined = trial && showTrial(journal, trial)
    const all = switchboard?.list() ?? []
    return { trial: view, switches: all, broken: all.filter(({ isBroken }) => isBroken) }
  }

  function renderRow(exchange: Exchange): Promise<string> {
    return app.view('exchange', { exchange: describeExchange(journal, exchange) })
  }

  function renderPanel(switchboard: Switchboard): Promise<string> {
    return app.view('panel', panelOf(switchboard))
  }

  /** Sends the switches and the progress of the last trial to every open page. */
  function followPanel(switchboard: Switchboard): void {
    let timer: NodeJS.Timeout | undefined
    const tell = (): void => {
      timer = undefined
      for (const events of panels) events.send('panel', renderPanel(switchboard))
    }
    const tellSoon = (): void => void (timer ??= setTimeout(tell, panelPauseMs).unref())
    switchboard.follow(tellSoon)
    const unfollow = journal.follow(exchange => {
      const trial = switchboard.lastTrial()
      if (trial !== undefined && journal.ofVisit(trial.visit).includes(exchange)) tellSoon()
    })
    app.addHook('onClose', async () => unfollow())
  }
}
