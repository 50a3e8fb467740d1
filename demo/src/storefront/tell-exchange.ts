import type { Exchange, Lane } from '../live/exchange.js'

const names: Readonly<Record<Lane, string>> = {
  browser: 'your browser',
  storefront: 'the storefront',
  payments: 'the payment service',
  authorizationServer: 'the issuer',
  receipts: 'the receipt service',
}

/** An exchange in plain sentences, for whoever knows nothing of OAuth. */
export function tellExchange(exchange: Exchange): string {
  const told = `${names[exchange.from]} ${purposeOf(exchange)}. ${endOf(exchange)}`
  return told.replaceAll(/(?<=^|\. )[a-z]/g, letter => letter.toUpperCase())
}

function purposeOf({ to, method, path, token }: Exchange): string {
  if (to === 'authorizationServer') {
    if (method === 'POST') return 'proves who it is to the issuer, and asks for an access token'
    return path.includes('well-known')
      ? 'asks the issuer for its addresses'
      : 'fetches the issuer’s public keys, with which signatures are checked'
  }
  const call = `calls ${names[to]}`
  if (token === undefined) return to === 'storefront' ? call : `${call} without a token`
  if (token.cached === undefined) return `${call} and shows a token`
  return `${call} and shows its token, ${token.cached ? 'one that it had at hand' : 'a new one'}`
}

function endOf({ to, answer, failure, checks, grant }: Exchange): string {
  const called = names[to]
  if (failure !== undefined) return 'nobody answers.'
  const failed = checks?.find(({ outcome }) => outcome === 'failed')
  if (failed !== undefined) return `${called} refuses: “${failed.question}” No.`
  if (answer === undefined) return `${called} has not answered yet.`
  if (answer.status >= 500) return `${called} cannot do it now.`
  if (answer.status >= 400) return `${called} says no.`
  if (grant !== undefined) return 'the issuer signs one and hands it over.'
  return checks === undefined
    ? `${called} answers.`
    : `${called} checks the token, finds it good, and does what it is asked.`
}
