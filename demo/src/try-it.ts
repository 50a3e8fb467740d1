import type { ApiUse } from 'fastify-api-contract'
import type { DemoConfig } from './config.js'
import { paymentsApi } from './payments-api.js'
import { receiptsApi } from './receipts-api.js'

/** One command to try, and its result. */
export interface Attempt {
  readonly title: string
  /** For a POSIX shell, on one line or several. */
  readonly command: string
  /** The expected answer and its reason. */
  readonly expected: string
}

/** Everything a visitor needs to get a token by hand. */
export interface TryIt {
  readonly attempts: readonly Attempt[]
  /** URL of the receipt service's documentation, where requests can be tried. */
  readonly docs: string
  readonly clientId: string
  readonly secret: string
}

/**
 * Returns three commands: without a token, with one, and with one for another service. Undefined with an external
 * issuer.
 */
export function tryItYourself(config: DemoConfig): TryIt | undefined {
  const { isIssuerReal, authorizationServer, receipts, payments } = config
  if (isIssuerReal) return undefined
  const { issuer, visitor } = authorizationServer
  const { baseUrl } = payments.receipts
  const url = `${baseUrl}/receipts`
  const withToken = ({ scopes }: ApiUse, resource: string): string =>
    [
      `TOKEN=$(curl -s ${issuer}/token -u ${visitor.clientId}:${visitor.secret}`,
      `-d grant_type=client_credentials -d scope=${scopes.join(' ')} -d resource=${resource}`,
      `| sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
    ].join(' \\\n  ') + `\ncurl -i ${url} -H "Authorization: Bearer $TOKEN"`
  const attempts = [
    {
      title: 'Call the receipt service without a token',
      command: `curl -i ${url}`,
      expected: '401: the service requires a bearer token.',
    },
    {
      title: 'Get a token for the receipt service, and call it again',
      command: withToken(receiptsApi.pick('listReceipts'), receipts.audience),
      expected: '200: the latest receipts.',
    },
    {
      title: 'Call the receipt service with a token for the payment service',
      command: withToken(paymentsApi.pick('find'), payments.audience),
      expected: '401 invalid_token: the token was issued for another service (audience).',
    },
  ]
  return { attempts, docs: `${baseUrl}/docs`, ...visitor }
}
