import type { Exchange, Lane } from '../live/exchange.js'
import { valueOf } from '../live/header-pairs.js'

const names: Readonly<Record<Exclude<Lane, 'browser'>, string>> = {
  storefront: 'the storefront',
  payments: 'the payment service',
  authorizationServer: 'the issuer',
  receipts: 'the receipt service',
}

/** Describes an exchange in plain sentences, for readers who are new to OAuth. */
export function tellExchange(exchange: Exchange): string {
  const told = `${callerOf(exchange)} ${purposeOf(exchange)}. ${endOf(exchange)}`
  return told.replaceAll(/(?<=^|\. )[a-z]/g, letter => letter.toUpperCase())
}

function callerOf({ from, headers }: Exchange): string {
  if (from !== 'browser') return names[from]
  return valueOf(headers, 'user-agent').startsWith('Mozilla') ? 'your browser' : 'your command'
}

function purposeOf(exchange: Exchange): string {
  const { to, method, path, token } = exchange
  if (to === 'authorizationServer') {
    if (method === 'POST')
      return `asks the issuer for an access token by the Client Credentials Grant${proofOf(exchange)}`
    return path.includes('well-known')
      ? 'asks the issuer where its token endpoint and its keys are'
      : 'fetches the issuer’s public keys, which verify signatures'
  }
  const call = `calls ${to === 'browser' ? 'you' : names[to]}`
  if (token === undefined) return to === 'storefront' ? call : `${call} without a token`
  if (token.cached === undefined) return `${call} with a token`
  return `${call} with its token, ${token.cached ? 'the one it already has (cached)' : 'a new one'}`
}

/** Describes how the client authenticates (RFC 6749 §2.3, RFC 7523 §2.2). */
function proofOf({ headers, body = '' }: Exchange): string {
  if (body.includes('client_assertion='))
    return ', and proves who it is by a signed statement (private_key_jwt)'
  const isBasic = valueOf(headers, 'authorization').toLowerCase().startsWith('basic ')
  return isBasic || body.includes('client_secret=') ? ', and proves who it is by its secret' : ''
}

function endOf({ to, answer, failure, checks, tokenAnswer }: Exchange): string {
  const called = to === 'browser' ? 'you' : names[to]
  if (failure !== undefined) return 'it gets no answer.'
  const failed = checks?.find(({ outcome }) => outcome === 'failed')
  if (failed !== undefined) return `${called} refuses the token: ${failed.refusal} (${failed.name}).`
  if (answer === undefined) return `${called} has not answered yet.`
  const { error, token } = tokenAnswer ?? {}
  if (error !== undefined) return `the issuer refuses: ${errorMeaning(error).finding} (${error}).`
  if (token !== undefined) return 'the issuer signs a token and returns it.'
  if (answer.status >= 500) return `${called} is unavailable and answers ${answer.status}.`
  if (answer.status >= 400) return `${called} refuses with ${answer.status}.`
  return checks === undefined
    ? `${called} answers ${answer.status}.`
    : `${called} checks the token, accepts it and answers ${answer.status}.`
}

/** The meaning of an issuer's error (RFC 6749 §5.2, RFC 8707 §2), and the client's option to check. */
const errors: Readonly<Record<string, readonly [finding: string, option: string]>> = {
  invalid_client: ['it does not accept the client’s credentials', 'clientId, clientSecret or privateKey'],
  invalid_scope: ['the client may not request this scope', 'scopes'],
  invalid_target: ['the client may not request a token for this service', 'resource'],
  unauthorized_client: ['the client may not use this grant', 'clientId'],
  unsupported_grant_type: ['it does not support this grant', 'grantType'],
}

export function errorMeaning(error: string): { readonly finding: string; readonly option: string } {
  const [finding, option] = errors[error] ?? ['it does not accept the request', 'profile']
  return { finding, option }
}
