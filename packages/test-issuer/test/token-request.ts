import {
  createTestIssuer,
  type ClientRegistration,
  type TestIssuer,
  type TestIssuerOptions,
} from 'oauth-test-issuer'

export const audience = 'https://receipts.example.com'
export const other = 'https://payments.example.com'
export const grant = { grant_type: 'client_credentials' }

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export async function post(
  url: string,
  form: URLSearchParams | Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer['body'],
  }
}

export const basic = (id: string, secret: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
})

/** Starts an issuer with one client, and returns a function that sends the client's token requests. */
export async function withClient(
  more: Partial<ClientRegistration> = {},
  options: TestIssuerOptions = {},
): Promise<{ issuer: TestIssuer; ask: (form: Record<string, string>) => Promise<Answer> }> {
  const client = { clientId: 'payment', clientSecret: 's3cret', audience, scopes: ['a', 'b'], ...more }
  const issuer = await createTestIssuer({ ...options, clients: [client] })
  return { issuer, ask: form => post(issuer.tokenEndpoint, form, basic('payment', 's3cret')) }
}
