import type { Trial } from '../faults/switchboard.js'
import type { Exchange } from '../live/exchange.js'
import type { Journal } from '../live/journal.js'
import { describeExchange, type ExchangeView } from './describe-exchange.js'

/** A trial prepared for the page. */
export interface TrialView {
  readonly of: string
  readonly alsoBroken: readonly string[]
  readonly state: 'failed' | 'good' | 'waits'
  readonly result: Trial['result']
  /** The requests of the trial; of many, only the first and the last. */
  readonly arrows: readonly ExchangeView[]
  /** Number of requests that are left out. */
  readonly more: number
  /** The reason of a failure, in plain sentences. */
  readonly why: string | undefined
  /** The id of the row that explains the result. */
  readonly row: string | undefined
}

const firstShown = 6
const lastShown = 2

export function showTrial(journal: Journal, trial: Trial): TrialView {
  const own = ownExchanges(journal, trial).map(exchange => describeExchange(journal, exchange))
  const state = stateOf(trial, own)
  const culprit = state === 'good' ? undefined : own.findLast(({ outcome }) => outcome !== 'good')
  const more = Math.max(0, own.length - firstShown - lastShown)
  return {
    of: trial.of,
    alsoBroken: trial.alsoBroken,
    state,
    result: trial.result,
    arrows: more === 0 ? own : [...own.slice(0, firstShown), ...own.slice(-lastShown)],
    more,
    why: state === 'good' ? undefined : (culprit?.story ?? withoutRequest[state]),
    row: (culprit ?? own[0])?.row,
  }
}

const withoutRequest = {
  failed: 'No request was made: the storefront has no token and waits before it asks the issuer again.',
  waits: 'No request was made: the payment service has no token and waits before it asks the issuer again.',
} as const

/**
 * Returns the requests of the trial's visit and the token requests of that time. A token request belongs to no visit,
 * because several calls may wait for it.
 */
function ownExchanges(journal: Journal, { visit, startedAt, endedAt }: Trial): readonly Exchange[] {
  const own = new Set(journal.ofVisit(visit))
  return journal.list().filter(exchange => own.has(exchange) || isTokenRequest(exchange, startedAt, endedAt))
}

function isTokenRequest(
  { from, to, method, visit, startedAt }: Exchange,
  start: number,
  end: number,
): boolean {
  const isOfNoOrder = visit.order === undefined && from !== 'browser'
  return (
    isOfNoOrder && to === 'authorizationServer' && method === 'POST' && start <= startedAt && startedAt <= end
  )
}

/** A receipt that was missing at the end of the purchase may have been issued since. */
function stateOf({ result }: Trial, own: readonly Exchange[]): TrialView['state'] {
  if (result.outcome === 'failed') return 'failed'
  const hasCome = own.some(
    ({ to, method, answer }) => to === 'receipts' && method === 'PUT' && (answer?.status ?? 500) < 300,
  )
  return result.receipt === 'delivered' || hasCome ? 'good' : 'waits'
}
