import { createHmac } from 'node:crypto'
import type { Claims } from '../issue/profile.js'
import { createSigningKey, type SigningKey } from '../issue/signing-keys.js'
import { good, withHeader, type Flaws, type Ingredients } from './flaw.js'

/** Tokens with good claims that no key of the issuer has signed. */
export const signatureFlaws: Flaws = {
  algNone: {
    why: 'it is unsigned: alg none (RFC 8725 §3.1)',
    make: from => resigned(from, { alg: 'none' }, () => ''),
  },
  withoutSignature: {
    why: 'its signature is empty (RFC 7515 §5.2)',
    make: async from => `${unsigned(await good(from))}.`,
  },
  hmacWithPublicKey: {
    why: "it is signed by HMAC with the issuer's public key as the secret (RFC 8725 §2.1)",
    make: from =>
      resigned(from, { alg: 'HS256' }, input =>
        createHmac('sha256', from.key.publicKey.export({ type: 'spki', format: 'pem' }))
          .update(input)
          .digest('base64url'),
      ),
  },
  unknownKey: {
    why: 'no published key has its kid',
    make: async from => good(await byForeignKey(from)),
  },
  foreignKey: {
    why: 'its kid is a published key, but another key signed it',
    make: async from => good({ ...from, key: { ...(await foreignKey(from)), kid: from.key.kid } }),
  },
  embeddedKey: {
    why: 'it contains the key that verifies it: jwk (RFC 8725 §3.10)',
    make: async from => {
      const foreign = await byForeignKey(from)
      return good({ ...foreign, shape: withHeader(from.shape, { jwk: foreign.key.jwk }) })
    },
  },
  keyFromAnywhere: {
    why: 'it names a URL of the key that verifies it: jku (RFC 8725 §3.10)',
    make: async from => {
      const shape = withHeader(from.shape, { jku: 'https://somebody-else.example/jwks' })
      return good({ ...(await byForeignKey(from)), shape })
    },
  },
  tamperedPayload: {
    why: 'its claims were changed after it was signed',
    make: async from => {
      const [header = '', payload = '', signature = ''] = (await good(from)).split('.')
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims
      return [header, encode({ ...claims, sub: 'somebody-else' }), signature].join('.')
    },
  },
  tamperedSignature: {
    why: 'its signature was changed',
    make: async from => {
      const token = await good(from)
      const signature = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
      signature[0] = (signature[0] ?? 0) ^ 1
      return `${unsigned(token)}.${signature.toString('base64url')}`
    },
  },
  garbage: {
    why: 'it is not a JWT',
    make: () => 'not.a.token',
  },
}

/** The good token's claims under another header and signature, which no JOSE library would produce. */
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
 * Issued a minute ago: an API that asked its issuer for this key id since then knows that the token is bad. A later token
 * could be good, since the issuer may have listed the key meanwhile, and an API may answer 503 until it asks again.
 */
async function byForeignKey(from: Ingredients): Promise<Ingredients> {
  const content = { ...from.content, issuedAt: from.content.issuedAt - 60 }
  return { ...from, content, key: await foreignKey(from) }
}

const foreignKeys = new WeakMap<SigningKey, Promise<SigningKey>>()

/**
 * A key that the issuer does not list, made once for each of its keys: RSA keys take long, and an API asks its issuer only
 * a few times for key ids that are not listed.
 */
function foreignKey({ key, profile }: Ingredients): Promise<SigningKey> {
  const known = foreignKeys.get(key) ?? createSigningKey(key.algorithm, profile.namesAlgorithm)
  foreignKeys.set(key, known)
  return known
}
