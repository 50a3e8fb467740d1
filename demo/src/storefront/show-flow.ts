import type { Exchange } from '../live/exchange.js'
import { belongsTo, type Journal } from '../live/journal.js'
import { describeExchange, type ExchangeView } from './describe-exchange.js'

/** Requests as `flow.eta` draws them. */
export interface FlowView {
  readonly boot: string
  /** The token requests that brought the tokens of the others, from before them. */
  readonly earlier: readonly ExchangeView[]
  readonly exchanges: readonly ExchangeView[]
}

export function showFlow(journal: Journal, exchanges: readonly Exchange[]): FlowView {
  const describe = (exchange: Exchange): ExchangeView => describeExchange(journal, exchange)
  return {
    boot: journal.boot,
    earlier: journal.sourcesOf(exchanges).map(describe),
    exchanges: exchanges.map(describe),
  }
}

/** Whether an order caused it; looking at the order's page is left out, which the page does again and again. */
export function isOfOrder(exchange: Exchange, order: string): boolean {
  const isLook = exchange.method === 'GET' && new RegExp(`^/(orders|payments)/${order}$`).test(exchange.path)
  return belongsTo(exchange, order) && !isLook
}
