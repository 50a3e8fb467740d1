import type { IssuerConnection, TlsSettings } from 'oauth-issuer-connection'
import type { CheckCustomClaims } from './claims/check-custom-claims.js'
import { introspectAtAny, type IntrospectToken } from './introspection/find-issuer.js'
import { createIntrospection, mostQuestions } from './introspection/introspect-token.js'
import type { Settings } from './options/options.js'

/**
 * Creates an HTTP client for requests to an issuer. The client uses the plugin's options and the parameter `own`, which
 * can add a client certificate or limit the number of connections.
 */
export type Connect = (own?: {
  readonly tls?: TlsSettings
  readonly connections?: number
}) => IssuerConnection

/** Introspects opaque tokens at the issuers for which the `introspection` option is set. */
export interface ConnectedIntrospection {
  /** Introspects an opaque token. Undefined if the `introspection` option is not set for any issuer. */
  readonly introspect: IntrospectToken | undefined
  close(): Promise<void>
}

/**
 * Creates a separate HTTP client for each issuer, so that introspection requests delay neither requests for keys nor
 * requests to other issuers.
 */
export function connectIntrospection(
  { issuers, issuerTimeoutMs, clock }: Pick<Settings, 'issuers' | 'issuerTimeoutMs' | 'clock'>,
  {
    connect,
    checkCustomClaims,
  }: { readonly connect: Connect; readonly checkCustomClaims: CheckCustomClaims },
): ConnectedIntrospection {
  const connected = issuers.flatMap(({ introspection: settings, rules, metadataUrl }) => {
    if (settings === undefined) return []
    const connection = connect({ tls: settings.tls, connections: mostQuestions })
    const context = { rules, metadataUrl, connection, checkCustomClaims, now: clock }
    return [{ connection, introspection: createIntrospection(settings, context) }]
  })
  return {
    introspect:
      connected.length === 0
        ? undefined
        : introspectAtAny(
            connected.map(({ introspection }) => introspection),
            issuerTimeoutMs,
          ),
    async close() {
      await Promise.all(connected.map(({ connection }) => connection.close()))
    },
  }
}
