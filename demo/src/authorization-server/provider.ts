import { generateKeyPairSync, randomUUID, type JsonWebKey } from 'node:crypto'
import type { ClientMetadata, Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { AuthorizationServerConfig, RegisteredClient } from '../config.js'

/** A signing key with its key id, as a private JWK. */
export type SigningKey = JsonWebKey & { kid: string; alg: 'ES256'; use: 'sig' }

/** Changes the claims of an access token before it is signed: how an issuer that is set up wrongly is shown. */
export type Tamper = (clientId: string, claims: Record<string, unknown>) => void

/** ES256: made in a millisecond. */
export function generateSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID().slice(0, 8), alg: 'ES256', use: 'sig' }
}

/**
 * oidc-provider, set up for machines only: the Client Credentials Grant (RFC 6749 §4.4), resource indicators
 * (RFC 8707), JWT access tokens (RFC 9068), and a policy of resources and scopes for each client.
 * @param keys the first one signs, all are published
 */
export async function createProvider(
  config: AuthorizationServerConfig,
  keys: readonly SigningKey[],
  tamper: Tamper = () => {},
): Promise<Provider> {
  const { errors, Provider: OidcProvider } = await importQuietly()
  const policies = new Map(config.clients.map(({ clientId, policy }) => [clientId, policy]))

  const configuration: Configuration = {
    jwks: { keys: [...keys] as never },
    clients: config.clients.map(clientMetadata),
    // With nothing but an ES256 key, a client whose ID tokens default to RS256 would be refused.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    responseTypes: [],
    scopes: [],
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    ttl: { ClientCredentials: config.tokenLifetime },
    cookies: { keys: [randomUUID()] },
    clientBasedCORS: (_ctx, origin, { clientId }) =>
      config.clients.some(one => one.clientId === clientId && one.origins?.includes(origin)),
    formats: {
      customizers: {
        jwt: (_ctx, token, { payload }) => {
          if (token.clientId !== undefined) tamper(token.clientId, payload)
        },
      },
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        // Without a resource the token would be opaque, and for no service in particular.
        defaultResource(ctx: KoaContextWithOIDC, { clientId }: { clientId: string }) {
          const client = config.clients.find(one => one.clientId === clientId)
          const resource = client?.origins && resourceOf(client, requestedScopes(ctx))
          if (resource !== undefined) return resource
          throw new errors.InvalidTarget('say which resource the token is for')
        },
        getResourceServerInfo: (ctx: KoaContextWithOIDC, resource: string, client: { clientId: string }) => {
          const allowed = policies.get(client.clientId)?.[resource]
          if (allowed === undefined)
            throw new errors.InvalidTarget('the client has nothing to do with this resource')
          // oidc-provider drops scopes that it doesn't know; a client should hear of its mistake.
          const refused = requestedScopes(ctx).find(scope => !allowed.includes(scope))
          if (refused !== undefined)
            throw new errors.InvalidScope('the client may not have this scope', refused)
          return {
            scope: allowed.join(' '),
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: config.tokenLifetime,
            jwt: { sign: { alg: 'ES256' } },
          }
        },
      },
    },
  }
  return quietly(() => new OidcProvider(config.issuer, configuration))
}

/** The resource at which the client may have all these scopes. */
function resourceOf({ policy }: RegisteredClient, scopes: readonly string[]): string | undefined {
  if (scopes.length === 0) return undefined
  return Object.keys(policy).find(resource => scopes.every(scope => policy[resource]?.includes(scope)))
}

function requestedScopes(ctx: KoaContextWithOIDC): readonly string[] {
  const { scope } = ctx.oidc.params ?? {}
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : []
}

function clientMetadata({ clientId, authentication }: RegisteredClient): ClientMetadata {
  const machine = {
    client_id: clientId,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  }
  if (authentication.method === 'client_secret_basic')
    return {
      ...machine,
      token_endpoint_auth_method: authentication.method,
      client_secret: authentication.secret,
    }
  return {
    ...machine,
    token_endpoint_auth_method: authentication.method,
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [authentication.publicKey] },
  }
}

const importQuietly = (): Promise<typeof import('oidc-provider')> => quietly(() => import('oidc-provider'))

/**
 * oidc-provider warns on the console that its store is in memory, which is what a demo wants, and that it prefers
 * a newer Node than 20, on which it works all the same. The terminal is for the demo.
 */
function quietly<T>(work: () => T): T {
  const { warn } = console
  const restore = (): void => {
    console.warn = warn
  }
  console.warn = () => {}
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
