import { lanes, type Exchange, type Lane } from '../live/exchange.js'
import { tellExchange } from './tell-exchange.js'

/** How a lane is called on the page. */
export const laneNames: Readonly<Record<Lane, string>> = {
  browser: 'Browser',
  storefront: 'Storefront',
  payments: 'Payment service',
  authorizationServer: 'Issuer',
  receipts: 'Receipt service',
}

/** An exchange as the page shows it. */
export interface ExchangeView extends Exchange {
  readonly time: string
  readonly title: string
  /** The lanes that the arrow spans, by number, and which way it points. */
  readonly span: string
  readonly fromName: string
  readonly toName: string
  readonly outcome: 'waiting' | 'good' | 'refused' | 'failed'
  readonly tokenNote: string
  /** What happens, in plain sentences. */
  readonly story: string
  /** The request as it was sent, without secrets. */
  readonly requestText: string
  /** The token's header and claims. */
  readonly tokenText: string
}

export function describeExchange(exchange: Exchange): ExchangeView {
  const [from, to] = [lanes.indexOf(exchange.from), lanes.indexOf(exchange.to)]
  return {
    ...exchange,
    time: new Date(exchange.startedAt).toISOString().slice(11, 23),
    title: `${exchange.method} ${shorten(exchange.path)}`,
    span: `span-${Math.min(from, to)}-${Math.max(from, to)} ${from < to ? 'right' : 'left'}`,
    fromName: laneNames[exchange.from],
    toName: laneNames[exchange.to],
    outcome: outcomeOf(exchange),
    tokenNote: tokenNote(exchange),
    story: tellExchange(exchange),
    requestText: requestText(exchange),
    tokenText: [exchange.token?.header, exchange.token?.claims]
      .map(part => JSON.stringify(part, null, 2))
      .join('\n'),
  }
}

function requestText({ method, path, headers, body = '' }: Exchange): string {
  const lines = headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`)
  return [`${method} ${path}`, ...lines, '', indented(body)].join('\n').trim()
}

function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

function outcomeOf({ answer, failure }: Exchange): ExchangeView['outcome'] {
  if (failure !== undefined) return 'failed'
  if (answer === undefined) return 'waiting'
  if (answer.status >= 500) return 'failed'
  return answer.status >= 400 ? 'refused' : 'good'
}

function tokenNote({ token, grant }: Exchange): string {
  if (grant !== undefined) return 'new token'
  if (token === undefined) return ''
  return token.cached === undefined ? 'token' : token.cached ? 'cached token' : 'new token'
}

/** Ids shortened to what tells them apart, and no query. */
function shorten(path: string): string {
  return (path.split('?')[0] ?? '').replaceAll(/([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f-]{27}/g, '$1…')
}
