import { randomUUID } from 'node:crypto'
import type { AuthorizationServer, ClientAuth, ModifyAssertionOptions } from 'oauth4webapi'
import { certificateHeader, checkPair } from './certificate-header.js'
import { importPrivateKey, type PrivateKeyInput, type SigningKey } from './private-key.js'
import { provide, type ProvideContext, type Provided } from './provide.js'

/**
 * The `aud` claim of client assertions. RFC 10070 allows only the issuer, but older servers may require the URL of
 * their token endpoint.
 */
export type AssertionAudience = 'issuer' | 'token_endpoint'

/** Signs bytes with a private key that is stored outside the process, for example in a KMS or HSM. */
export type SignAssertion = (data: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** The key that signs client assertions (RFC 7523 §2.2). */
export type AssertionKey =
  | {
      readonly key: Provided<PrivateKeyInput>
      readonly algorithm: string | undefined
      readonly rsaAlgorithm: string
      readonly keyId: string | undefined
      readonly certificate: Provided<string> | undefined
    }
  | {
      readonly sign: SignAssertion
      readonly algorithm: string
      readonly keyId: string | undefined
      readonly certificate: Provided<string> | undefined
    }

type AssertionHeader = Record<string, string | string[]>

/** RFC 7523 §2.2. */
const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Seconds. */
const assertionLifetime = 60

/** Authenticates with `private_key_jwt`: signs a new assertion for each request. */
export async function keyAssertion(
  key: AssertionKey,
  audience: AssertionAudience,
  context: ProvideContext,
): Promise<ClientAuth> {
  const certificate = key.certificate === undefined ? undefined : await provide(key.certificate, context)
  const header: AssertionHeader = {
    ...(key.keyId === undefined ? {} : { kid: key.keyId }),
    ...(certificate === undefined ? {} : certificateHeader(certificate)),
  }
  if ('sign' in key) return signedElsewhere(key, header, audience)
  const input = await provide(key.key, context)
  if (certificate !== undefined) checkPair(certificate, input)
  const signingKey = await importPrivateKey(input, key.algorithm, key.rsaAlgorithm)
  const { PrivateKeyJwt } = await import('oauth4webapi')
  const make = (options: ModifyAssertionOptions): ClientAuth => PrivateKeyJwt(signingKey.key, options)
  return withAssertion(audience, make, server => ({ ...header, ...algorithmName(signingKey, server) }))
}

/** Authenticates with `client_secret_jwt`: signs a new assertion with an HMAC keyed by the client secret. */
export async function secretAssertion(secret: string, audience: AssertionAudience): Promise<ClientAuth> {
  const { ClientSecretJwt } = await import('oauth4webapi')
  return withAssertion(
    audience,
    options => ClientSecretJwt(secret, options),
    () => ({}),
  )
}

/** Authenticates with an assertion issued by another system, such as a federated workload token (RFC 7521 §4.2). */
export function assertedElsewhere(assertion: string, type: string = jwtBearer): ClientAuth {
  return (_server, { client_id: clientId }, body) => addAssertion(body, clientId, assertion.trim(), type)
}

function addAssertion(
  body: URLSearchParams,
  clientId: string,
  assertion: string,
  type: string = jwtBearer,
): void {
  body.set('client_id', clientId)
  body.set('client_assertion_type', type)
  body.set('client_assertion', assertion)
}

/** Sets the `aud` claim, the `typ` header and the time claims of an assertion before oauth4webapi signs it. */
async function withAssertion(
  audience: AssertionAudience,
  make: (options: ModifyAssertionOptions) => ClientAuth,
  headerFor: (server: AuthorizationServer) => AssertionHeader,
): Promise<ClientAuth> {
  const oauth = await import('oauth4webapi')
  return (server, client, body, headers) =>
    make({
      [oauth.modifyAssertion](header, payload) {
        Object.assign(header, { typ: typeFor(audience) }, headerFor(server))
        Object.assign(payload, claimsFor(audience, server))
      },
    })(server, client, body, headers)
}

/**
 * Returns the `typ` header of an assertion. If the audience is the issuer, the header is `client-authentication+jwt`
 * (RFC 10070). If the audience is the token endpoint, the header is `JWT`, because servers that expect this audience
 * predate RFC 10070.
 */
function typeFor(audience: AssertionAudience): string {
  return audience === 'issuer' ? 'client-authentication+jwt' : 'JWT'
}

/**
 * Returns the `alg` header for an Ed25519 key. If no algorithm is configured, returns `Ed25519` (RFC 9864) if the
 * server supports this name, and `EdDSA` otherwise.
 */
function algorithmName({ key, algorithm }: SigningKey, server: AuthorizationServer): { alg?: string } {
  if (key.algorithm.name !== 'Ed25519') return {}
  const supported: unknown = server.token_endpoint_auth_signing_alg_values_supported
  const isListed = Array.isArray(supported) && supported.includes('Ed25519')
  return { alg: algorithm ?? (isListed ? 'Ed25519' : 'EdDSA') }
}

/**
 * Returns the claims of an assertion. The times come from the system clock, because the server checks them against its
 * own clock.
 */
function claimsFor(audience: AssertionAudience, { issuer, token_endpoint }: AuthorizationServer) {
  const seconds = Math.floor(Date.now() / 1000)
  return {
    aud: audience === 'issuer' ? issuer : token_endpoint,
    iat: seconds,
    nbf: seconds,
    exp: seconds + assertionLifetime,
  }
}

function signedElsewhere(
  { sign, algorithm }: Extract<AssertionKey, { sign: unknown }>,
  header: AssertionHeader,
  audience: AssertionAudience,
): ClientAuth {
  return async (server, { client_id: clientId }, body) => {
    const claims = { iss: clientId, sub: clientId, jti: randomUUID(), ...claimsFor(audience, server) }
    const input = `${encode({ alg: algorithm, typ: typeFor(audience), ...header })}.${encode(claims)}`
    const signature: unknown = await sign(Buffer.from(input))
    if (!(signature instanceof Uint8Array)) throw new TypeError('`signAssertion` did not return a Uint8Array')
    addAssertion(body, clientId, `${input}.${Buffer.from(signature).toString('base64url')}`)
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
