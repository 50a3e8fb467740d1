import { generateKeyPairSync, randomUUID, type JsonWebKey } from 'node:crypto'
import type { ClientMetadata, Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { AuthorizationServerConfig, RegisteredClient } from '../config.js'

/** A private signing key (JWK) with its key id. */
export type SigningKey = JsonWebKey & { kid: string; alg: 'ES256'; use: 'sig' }

/** Changes the claims of an access token before it is signed, to simulate an issuer with a wrong configuration. */
export type Tamper = (clientId: string, claims: Record<string, unknown>) => void

/** Generates an ES256 key, which takes a millisecond. */
export function generateSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID().slice(0, 8), alg: 'ES256', use: 'sig' }
}

/**
 * Configures oidc-provider for machines: the Client Credentials Grant (RFC 6749 §4.4), resource indicators (RFC 8707),
 * JWT access tokens (RFC 9068), and a policy of resources and scopes for each client.
 * @param keys all are published; the first one signs
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
    // ID tokens default to RS256, and oidc-provider rejects such a client if the only key is ES256.
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
        // Without a resource, oidc-provider would issue an opaque token.
        defaultResource(ctx: KoaContextWithOIDC, { clientId }: { clientId: string }) {
          const client = config.clients.find(one => one.clientId === clientId)
          const resource = client?.origins && resourceOf(client, requestedScopes(ctx))
          if (resource !== undefined) return resource
          throw new errors.InvalidTarget('the request has no resource parameter')
        },
        getResourceServerInfo: (ctx: KoaContextWithOIDC, resource: string, client: { clientId: string }) => {
          const allowed = policies.get(client.clientId)?.[resource]
          if (allowed === undefined)
            throw new errors.InvalidTarget('the client has no access to this resource')
          // oidc-provider drops unknown scopes silently; an error tells the client about its mistake.
          const refused = requestedScopes(ctx).find(scope => !allowed.includes(scope))
          if (refused !== undefined)
            throw new errors.InvalidScope('the client may not request this scope', refused)
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

/** Returns the resource for which the client may request all these scopes. */
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
 * Suppresses two warnings that oidc-provider prints: its store is in memory, which suits a demo, and it recommends a
 * newer Node.js than 20, although it works with 20.
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
