import { createHmac } from 'node:crypto'
import type { Claims } from '../issue/profile.js'
import { createSigningKey, type SigningKey } from '../issue/signing-keys.js'
import { good, withHeader, type Flaws, type Ingredients } from './flaw.js'

/** Invalid tokens that have valid claims but no valid signature from the issuer. */
export const signatureFlaws: Flaws = {
  algNone: {
    why: 'the token is unsigned, and its alg header is none (RFC 8725 §3.1)',
    make: from => resigned(from, { alg: 'none' }, () => ''),
  },
  withoutSignature: {
    why: 'the signature is empty (RFC 7515 §5.2)',
    make: async from => `${unsigned(await good(from))}.`,
  },
  hmacWithPublicKey: {
    why: 'the token is signed with HMAC, and the secret is the public key of the issuer (RFC 8725 §2.1)',
    make: from =>
      resigned(from, { alg: 'HS256' }, input =>
        createHmac('sha256', from.key.publicKey.export({ type: 'spki', format: 'pem' }))
          .update(input)
          .digest('base64url'),
      ),
  },
  unknownKey: {
    why: 'the kid header does not match any published key',
    make: async from => good(await byForeignKey(from)),
  },
  foreignKey: {
    why: 'the kid header matches a published key, but the token was signed with a different key',
    make: async from => good({ ...from, key: { ...(await foreignKey(from)), kid: from.key.kid } }),
  },
  embeddedKey: {
    why: 'the token was signed with the key in its own jwk header (RFC 8725 §3.10)',
    make: async from => {
      const foreign = await byForeignKey(from)
      return good({ ...foreign, shape: withHeader(from.shape, { jwk: foreign.key.jwk }) })
    },
  },
  keyFromAnywhere: {
    why: 'the jku header is the URL of a JWK set on an untrusted host (RFC 8725 §3.10)',
    make: async from => {
      const shape = withHeader(from.shape, { jku: 'https://somebody-else.example/jwks' })
      return good({ ...(await byForeignKey(from)), shape })
    },
  },
  tamperedPayload: {
    why: 'the claims were changed after the token was signed',
    make: async from => {
      const [header = '', payload = '', signature = ''] = (await good(from)).split('.')
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims
      return [header, encode({ ...claims, sub: 'somebody-else' }), signature].join('.')
    },
  },
  tamperedSignature: {
    why: 'the signature was changed',
    make: async from => {
      const token = await good(from)
      const signature = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
      signature[0] = (signature[0] ?? 0) ^ 1
      return `${unsigned(token)}.${signature.toString('base64url')}`
    },
  },
  garbage: {
    why: 'the token is not a JWT',
    make: () => 'not.a.token',
  },
}

/** Combines the claims of the valid token with a header and a signature that no JOSE library would create. */
async function resigned(
  from: Ingredients,
  header: Readonly<Record<string, unknown>>,
  sign: (input: string) => string,
): Promise<string> {
  const [, payload = ''] = (await good(from)).split('.')
  const { profile, key, shape } = from
  const input = `${encode({ typ: profile.type, kid: key.kid, ...shape.header, ...header })}.${payload}`
  return `${input}.${sign(input)}`
}

function unsigned(token: string): string {
  return token.slice(0, token.lastIndexOf('.'))
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/**
 * Replaces the signing key with a key that the issuer does not publish. Sets `iat` to one minute ago, so that an API
 * that fetched the JWK set within the last minute can reject the token immediately. With the current time as `iat`, the
 * API might respond with 503 until it fetches the JWK set again, because the key could be new.
 */
async function byForeignKey(from: Ingredients): Promise<Ingredients> {
  const content = { ...from.content, issuedAt: from.content.issuedAt - 60 }
  return { ...from, content, key: await foreignKey(from) }
}

const foreignKeys = new WeakMap<SigningKey, Promise<SigningKey>>()

/**
 * Returns a key that is not in the JWK set. Reuses one key for all tokens, because RSA keys are slow to generate, and
 * because APIs limit how often they fetch the JWK set for unknown key ids.
 */
function foreignKey({ key, profile }: Ingredients): Promise<SigningKey> {
  const known = foreignKeys.get(key) ?? createSigningKey(key.algorithm, profile.namesAlgorithm)
  foreignKeys.set(key, known)
  return known
}
