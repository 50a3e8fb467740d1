import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import type { Trust } from '../servers/trust.js'

export const audience = 'https://orders.example.com'
export const scope = 'orders:read'
export const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

/** An issuer whose tokens outlive the run. */
export async function startIssuer(algorithm: Algorithm): Promise<{ issuer: TestIssuer; trust: Trust }> {
  const issuer = await createTestIssuer({ algorithm, audience, expiresInMs: 86_400_000 })
  return { issuer, trust: { issuer: issuer.url, jwksUri: issuer.jwksUri, audience, scope } }
}

/**
 * `Authorization` values with as many different tokens. Sent in turn, they are new to every cache that holds fewer:
 * what was used longest ago is what comes next.
 */
export async function bearerTokens(issuer: TestIssuer, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) {
    const batch = Array.from({ length: Math.min(100, count - values.length) }, async () =>
      issuer.token({ scopes: [scope, 'orders:write'], clientId: 'payment' }),
    )
    values.push(...(await Promise.all(batch)).map(token => `Bearer ${token}`))
  }
  return values
}
