import { lanes, type DecodedToken, type Exchange, type Lane } from '../live/exchange.js'
import type { Journal } from '../live/journal.js'
import { claimsOf, type ClaimView } from './describe-claims.js'
import { timeOfDay } from './money.js'
import { errorMeaning, tellExchange } from './tell-exchange.js'

/** The name of a lane on the page. */
export const laneNames: Readonly<Record<Lane, string>> = {
  browser: 'You',
  storefront: 'Storefront',
  payments: 'Payment service',
  authorizationServer: 'Issuer',
  receipts: 'Receipt service',
}

/** An exchange prepared for the page. */
export interface ExchangeView extends Exchange {
  /** The id of its row, unique across restarts. */
  readonly row: string
  readonly time: string
  readonly title: string
  /** The columns that the arrow spans, by number, and its direction. */
  readonly span: string
  readonly fromName: string
  readonly toName: string
  readonly outcome: 'waiting' | 'good' | 'refused' | 'failed'
  readonly status: string
  readonly tokenNote: string
  /** A description in plain sentences. */
  readonly story: string
  /** The failed verification step, or the issuer's error. */
  readonly verdict: { readonly name: string; readonly finding: string; readonly option: string } | undefined
  /** The parameters of a token request with their meanings. */
  readonly asked: readonly ClaimView[]
  /** The request without secrets and without headers of the HTTP library. */
  readonly requestText: string
  /** Header and claims of the token that was sent. */
  readonly tokenText: string
  /** Claims of the issued token. */
  readonly issued: readonly ClaimView[]
  /** The token request that brought the token. */
  readonly source: { readonly row: string; readonly time: string; readonly until: string } | undefined
}

/** @param journal contains the token requests */
export function describeExchange(journal: Journal, exchange: Exchange): ExchangeView {
  const [from, to] = [lanes.indexOf(exchange.from), lanes.indexOf(exchange.to)]
  return {
    ...exchange,
    row: rowOf(journal, exchange),
    time: `${timeOfDay(exchange.startedAt)}.${String(exchange.startedAt % 1000).padStart(3, '0')}`,
    title: `${exchange.method} ${shorten(exchange.path)}`,
    span: `span-${Math.min(from, to)}-${Math.max(from, to)} ${from < to ? 'right' : 'left'}`,
    fromName: laneNames[exchange.from],
    toName: laneNames[exchange.to],
    outcome: outcomeOf(exchange),
    status: exchange.failure === undefined ? String(exchange.answer?.status ?? '…') : 'no answer',
    tokenNote: tokenNote(exchange),
    story: tellExchange(exchange),
    verdict: verdictOf(exchange),
    asked: askedFor(exchange),
    requestText: requestText(exchange),
    tokenText: [exchange.token?.header, exchange.token?.claims]
      .map(part => JSON.stringify(part, null, 2))
      .join('\n'),
    issued: claimsOf(exchange.tokenAnswer?.token),
    source: exchange.token && sourceOf(journal, exchange.token),
  }
}

function rowOf({ boot }: Journal, { id }: Exchange): string {
  return `x${boot}-${id}`
}

function sourceOf(journal: Journal, token: DecodedToken): ExchangeView['source'] {
  const source = journal.sourceOf(token.id)
  const { exp } = token.claims
  if (source === undefined) return undefined
  return {
    row: rowOf(journal, source),
    time: timeOfDay(source.startedAt),
    until: typeof exp === 'number' && Math.abs(exp) < 1e12 ? timeOfDay(exp * 1000) : 'its end',
  }
}

/** Headers that every HTTP client sends and that are not related to OAuth. */
const uninteresting =
  /^(user-agent|sec-.*|accept-language|accept-encoding|connection|content-length|priority|cache-control|pragma|dnt|upgrade-insecure-requests|traceparent)$/

function requestText({ method, path, headers, body = '' }: Exchange): string {
  const lines = headers
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !uninteresting.test(name))
    .map(([name, value]) => `${name}: ${value}`)
  return [`${method} ${path}`, ...lines, '', indented(body)].join('\n').trim()
}

const askedMeanings: Readonly<Record<string, string>> = {
  grant_type: 'The Client Credentials Grant: the client asks in its own name, without a user.',
  scope: 'What the token should allow.',
  resource: 'Which service the token is for.',
  audience: 'Which service the token is for.',
}

function askedFor({ to, method, body = '' }: Exchange): ClaimView[] {
  if (to !== 'authorizationServer' || method !== 'POST') return []
  return body.split('\n&').flatMap(field => {
    const [name = '', value = ''] = field.split('=')
    const meaning = askedMeanings[name]
    return meaning === undefined ? [] : [{ name, value, meaning }]
  })
}

function verdictOf({ checks, tokenAnswer }: Exchange): ExchangeView['verdict'] {
  const failed = checks?.find(({ outcome }) => outcome === 'failed')
  if (failed !== undefined) return failed
  const { error } = tokenAnswer ?? {}
  return error === undefined ? undefined : { name: error, ...errorMeaning(error) }
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

function tokenNote({ token, tokenAnswer }: Exchange): string {
  if (tokenAnswer?.token !== undefined) return 'new token'
  if (token === undefined) return ''
  return token.cached === undefined ? 'token' : token.cached ? 'cached token' : 'new token'
}

/** Shortens ids and removes the query. */
function shorten(path: string): string {
  return (path.split('?')[0] ?? '').replaceAll(/([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f-]{27}/g, '$1…')
}
