import { createHash, X509Certificate, type JsonWebKey, type KeyObject, type webcrypto } from 'node:crypto'
import { CompactSign } from 'jose/jws/compact/sign'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { exportJWK } from 'jose/key/export'
import type { Claims, Profile, TokenContent } from './profile.js'
import type { SigningKey } from './signing-keys.js'

/** Binds a token to a public key, so that only the holder of the matching private key can use the token. */
export interface TokenBinding {
  /** The caller's public DPoP key. Sets `cnf.jkt` (RFC 9449 §6.1). */
  dpopKey?: KeyObject | webcrypto.CryptoKey | JsonWebKey
  /** The caller's certificate in PEM or DER. Sets `cnf.x5t#S256` (RFC 8705 §3.1). */
  certificate?: X509Certificate | string | Uint8Array
}

/** Changes to the default claims and header of a token. */
export interface TokenShape extends TokenBinding {
  /** Claims that override the profile's claims. Set a claim to `undefined` to remove it. */
  claims?: Claims
  /** Header parameters that override `alg`, `typ` and `kid`. Set a parameter to `undefined` to remove it. */
  header?: Readonly<Record<string, unknown>>
}

/** Creates a token in the format of the profile and signs it (RFC 7515 §3.1). */
export async function signToken(
  content: TokenContent,
  shape: TokenShape,
  profile: Profile,
  key: SigningKey,
): Promise<string> {
  const cnf = await confirmation(shape)
  const claims = { ...profile.claims(content), ...(cnf === undefined ? {} : { cnf }), ...shape.claims }
  return signCompact({ typ: profile.type, ...shape.header }, claims, key)
}

/** Signs claims as a JWS in compact serialization. `header` overrides the key's `alg` and `kid`. */
export async function signCompact(
  header: Readonly<Record<string, unknown>>,
  claims: Claims,
  key: SigningKey,
): Promise<string> {
  const { kid, algorithm, privateKey } = key
  const whole = withoutUndefined({ alg: algorithm, kid, ...header })
  const crit = Object.fromEntries(((whole['crit'] ?? []) as string[]).map(name => [name, true]))
  try {
    return await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader(whole as { alg: string })
      .sign(privateKey, { crit })
  } catch (error) {
    throw new TypeError(
      `oauth-test-issuer: the ${algorithm} key cannot sign a token with the header ${JSON.stringify(whole)}: ${(error as Error).message}`,
      { cause: error },
    )
  }
}

function withoutUndefined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

async function confirmation({ dpopKey, certificate }: TokenBinding): Promise<Claims | undefined> {
  if (dpopKey === undefined && certificate === undefined) return undefined
  return {
    ...(dpopKey === undefined ? {} : { jkt: await thumbprint(dpopKey) }),
    ...(certificate === undefined ? {} : { 'x5t#S256': certificateThumbprint(certificate) }),
  }
}

async function thumbprint(key: NonNullable<TokenBinding['dpopKey']>): Promise<string> {
  const jwk = 'type' in key || !('kty' in key) ? await exportJWK(key as webcrypto.CryptoKey | KeyObject) : key
  return calculateJwkThumbprint(jwk)
}

function certificateThumbprint(certificate: NonNullable<TokenBinding['certificate']>): string {
  const { raw } = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate)
  return createHash('sha256').update(raw).digest('base64url')
}
