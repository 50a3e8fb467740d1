import { randomBytes } from 'node:crypto'
import { createServer as createTlsServer } from 'node:https'
import { createServer } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { ClientMetadata, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { Test } from 'tap'
import { listen } from 'test-support/listen'

/** What a test wants of the authorization server besides the usual. */
export interface RealServerOptions {
  readonly clients: readonly Partial<ClientMetadata>[]
  /** DPoP proofs need the server's nonce (RFC 9449 §8). */
  readonly requireNonce?: boolean
  /** https that asks for a client certificate: for mutual TLS (RFC 8705). */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca: string }
}

/** oidc-provider, a certified authorization server, on loopback. Its access tokens are JWTs for any resource. */
export async function startRealServer(t: Test, options: RealServerOptions): Promise<string> {
  const { Provider } = await importQuietly()
  const server =
    options.tls === undefined
      ? createServer()
      : createTlsServer({ ...options.tls, requestCert: true, rejectUnauthorized: false })
  const host = options.tls === undefined ? 'http://localhost' : 'https://localhost'
  const issuer = await listen(t, server, host)
  const provider = quietly(() => new Provider(issuer, configuration(options)))
  const handle = provider.callback()
  server.on('request', (request, response) => void handle(request, response))
  return issuer
}

function configuration({ clients, requireNonce = false }: RealServerOptions): Configuration {
  return {
    clients: clients.map(client => ({
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      ...client,
    })) as ClientMetadata[],
    responseTypes: [],
    scopes: ['receipts:write'],
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
    ],
    ttl: { ClientCredentials: 600 },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => requireNonce },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        tlsClientAuth: true,
        getCertificate: ctx => peerOf(ctx)?.toString(),
        certificateAuthorized: ctx => (ctx.req.socket as TLSSocket).authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_subject_dn' && peerOf(ctx)?.subject === expected,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'receipts:write',
          audience: resource,
          accessTokenFormat: 'jwt',
        }),
      },
    },
  }
}

function peerOf(ctx: KoaContextWithOIDC): ReturnType<TLSSocket['getPeerX509Certificate']> {
  return (ctx.req.socket as TLSSocket).getPeerX509Certificate()
}

const importQuietly = (): Promise<typeof import('oidc-provider')> => quietly(() => import('oidc-provider'))

/** oidc-provider's warnings about its store in memory are no news here. */
function quietly<T>(work: () => T): T {
  const { warn } = console
  console.warn = () => {}
  const restore = (): void => void (console.warn = warn)
  try {
    const result = work()
    if (result instanceof Promise) result.then(restore, restore)
    else restore()
    return result
  } catch (error) {
    restore()
    throw error
  }
}
