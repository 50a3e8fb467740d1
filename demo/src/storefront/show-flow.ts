import type { Exchange } from '../live/exchange.js'
import { belongsTo, type Journal } from '../live/journal.js'
import { describeExchange, type ExchangeView } from './describe-exchange.js'

/** The data of `flow.eta`. */
export interface FlowView {
  readonly boot: string
  /** Earlier token requests, which brought the tokens of these exchanges. */
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

/**
 * Returns whether an order caused the exchange. Requests for the order's page are left out, because the page reloads
 * itself.
 */
export function isOfOrder(exchange: Exchange, order: string): boolean {
  const isLook = exchange.method === 'GET' && new RegExp(`^/(orders|payments)/${order}$`).test(exchange.path)
  return belongsTo(exchange, order) && !isLook
}
