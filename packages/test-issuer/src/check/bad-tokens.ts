import { createHmac } from 'node:crypto'
import type { Claims, Profile, TokenContent } from '../issue/profiles.js'
import { signCompact, signToken, type TokenShape } from '../issue/sign-token.js'
import { createSigningKey, type SigningKey } from '../issue/signing-keys.js'

/** A token that a resource server must refuse. */
export interface BadToken {
  readonly name: string
  readonly token: string
  /** Why it must be refused. */
  readonly why: string
  /** The right answer: 401 `invalid_token`, or 403 `insufficient_scope` (RFC 6750 §3.1). */
  readonly status: 401 | 403
  readonly error: 'invalid_token' | 'insufficient_scope'
}

/** What bad tokens are made of: a good one and the issuer's ways. */
export interface Ingredients {
  readonly content: TokenContent
  readonly shape: TokenShape
  readonly profile: Profile
  readonly key: SigningKey
}

interface Flaw {
  readonly why: string
  readonly make: (ingredients: Ingredients) => string | Promise<string>
  /** Where the flaw is none. */
  readonly unless?: (ingredients: Ingredients) => boolean
  readonly status?: 403
}

const hour = 3_600

/** Name → what is wrong with the token, and nothing else is. */
const flaws: Readonly<Record<string, Flaw>> = {
  expired: {
    why: 'exp is an hour ago (RFC 7519 §4.1.4)',
    make: from =>
      signed(from, {
        content: { issuedAt: from.content.issuedAt - 2 * hour, expiresAt: from.content.issuedAt - hour },
      }),
  },
  withoutExpiry: {
    why: 'without exp it would be good for ever (RFC 9068 §2.2)',
    make: from => signed(from, { claims: { exp: undefined } }),
  },
  textExpiry: {
    why: 'exp is text, and not a number (RFC 7519 §2, NumericDate)',
    make: from => signed(from, { claims: { exp: String(from.content.expiresAt) } }),
  },
  notYetValid: {
    why: 'nbf is in an hour (RFC 7519 §4.1.5)',
    make: from =>
      signed(from, {
        content: { expiresAt: from.content.issuedAt + 2 * hour },
        claims: { nbf: from.content.issuedAt + hour },
      }),
  },
  wrongAudience: {
    why: 'it is for another API (RFC 7519 §4.1.3)',
    make: from =>
      from.profile.audienceClaim === 'aud'
        ? signed(from, { claims: { aud: 'https://somebody-else.example' } })
        : signed(from, { claims: { [from.profile.audienceClaim]: 'somebody-else' } }),
  },
  withoutAudience: {
    why: 'it is for nobody in particular (RFC 9068 §2.2)',
    make: from => signed(from, { claims: { [from.profile.audienceClaim]: undefined } }),
  },
  wrongIssuer: {
    why: 'iss is another issuer (RFC 7519 §4.1.1)',
    make: from => signed(from, { claims: { iss: 'https://another-issuer.example' } }),
  },
  withoutIssuer: {
    why: 'iss is missing (RFC 9068 §2.2)',
    make: from => signed(from, { claims: { iss: undefined } }),
  },
  wrongType: {
    why: 'typ says that it is another kind of token (RFC 8725 §3.11)',
    make: from => signed(from, { header: { typ: 'logout+jwt' } }),
  },
  idToken: {
    why: 'it tells the client who signed in, and is no access token (RFC 9068 §4)',
    unless: ({ profile }) => profile.audienceClaim !== 'aud',
    make: ({ content, key }) =>
      signCompact(
        { typ: 'JWT' },
        {
          iss: content.issuer,
          sub: content.subject ?? content.clientId,
          aud: content.clientId,
          exp: content.expiresAt,
          iat: content.issuedAt,
          nonce: 'n-0S6_WzA2Mj',
        },
        key,
      ),
  },
  missingScope: {
    why: 'it does not have the scope (RFC 6750 §3.1)',
    status: 403,
    unless: ({ content }) => content.scopes.length === 0,
    make: from => signed(from, { content: { scopes: [] } }),
  },
  algNone: {
    why: 'it is not signed at all: alg none (RFC 8725 §3.1)',
    make: from => resigned(from, { alg: 'none' }, () => ''),
  },
  withoutSignature: {
    why: 'its signature is empty (RFC 7515 §5.2)',
    make: async from => `${unsigned(await good(from))}.`,
  },
  hmacWithPublicKey: {
    why: "it is signed by HMAC with the issuer's public key, which everybody has (RFC 8725 §2.1)",
    make: from =>
      resigned(from, { alg: 'HS256' }, input =>
        createHmac('sha256', from.key.publicKey.export({ type: 'spki', format: 'pem' }))
          .update(input)
          .digest('base64url'),
      ),
  },
  unknownKey: {
    why: 'no key of the issuer has its kid',
    make: async from => good({ ...from, key: await foreignKey(from) }),
  },
  foreignKey: {
    why: "its kid is the issuer's, its signature is not",
    make: async from => good({ ...from, key: { ...(await foreignKey(from)), kid: from.key.kid } }),
  },
  embeddedKey: {
    why: 'it brings the key along that verifies it: jwk (RFC 8725 §3.10)',
    make: async from => {
      const key = await foreignKey(from)
      return good({ ...from, key, shape: withHeader(from.shape, { jwk: key.jwk }) })
    },
  },
  keyFromAnywhere: {
    why: 'it says where to fetch the key that verifies it: jku (RFC 8725 §3.10)',
    make: async from => {
      const shape = withHeader(from.shape, { jku: 'https://somebody-else.example/jwks' })
      return good({ ...from, key: await foreignKey(from), shape })
    },
  },
  criticalExtension: {
    why: 'crit names an extension that nobody knows (RFC 7515 §4.1.11)',
    make: from => signed(from, { header: { crit: ['urn:example:unknown'], 'urn:example:unknown': true } }),
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
    why: 'it is no JWT',
    make: () => 'not.a.token',
  },
}

/** Every bad token that is bad for this profile and content. */
export async function makeBadTokens(ingredients: Ingredients): Promise<readonly BadToken[]> {
  const applicable = Object.entries(flaws).filter(([, { unless }]) => unless?.(ingredients) !== true)
  return Promise.all(applicable.map(([name, flaw]) => makeOne(name, flaw, ingredients)))
}

async function makeOne(
  name: string,
  { why, make, status }: Flaw,
  ingredients: Ingredients,
): Promise<BadToken> {
  const token = await make(ingredients)
  return status === undefined
    ? { name, why, token, status: 401, error: 'invalid_token' }
    : { name, why, token, status, error: 'insufficient_scope' }
}

function good({ content, shape, profile, key }: Ingredients): Promise<string> {
  return signToken(content, shape, profile, key)
}

interface Change {
  readonly content?: Partial<TokenContent>
  readonly claims?: Claims
  readonly header?: Readonly<Record<string, unknown>>
}

function signed({ content, shape, profile, key }: Ingredients, change: Change): Promise<string> {
  const changed = { ...withHeader(shape, change.header), claims: { ...shape.claims, ...change.claims } }
  return signToken({ ...content, ...change.content }, changed, profile, key)
}

function withHeader(shape: TokenShape, header: Change['header']): TokenShape {
  return { ...shape, header: { ...shape.header, ...header } }
}

/** The good token's claims under another header and signature: what no JOSE library would make. */
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

function foreignKey({ key, profile }: Ingredients): Promise<SigningKey> {
  return createSigningKey(key.algorithm, profile.namesAlgorithm)
}
