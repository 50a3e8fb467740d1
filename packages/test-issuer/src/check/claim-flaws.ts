import { signCompact } from '../issue/sign-token.js'
import { signed, type Flaws } from './flaw.js'

const hour = 3_600

/** Invalid tokens that have a valid signature but invalid claims or an invalid header. */
export const claimFlaws: Flaws = {
  expired: {
    why: 'the token expired an hour ago (RFC 7519 §4.1.4)',
    make: from =>
      signed(from, {
        content: { issuedAt: from.content.issuedAt - 2 * hour, expiresAt: from.content.issuedAt - hour },
      }),
  },
  withoutExpiry: {
    why: 'the token has no exp claim, so it would never expire (RFC 9068 §2.2)',
    make: from => signed(from, { claims: { exp: undefined } }),
  },
  textExpiry: {
    why: 'the exp claim is a string instead of a number (RFC 7519 §2, NumericDate)',
    make: from => signed(from, { claims: { exp: String(from.content.expiresAt) } }),
  },
  notYetValid: {
    why: 'the nbf claim is an hour in the future (RFC 7519 §4.1.5)',
    make: from =>
      signed(from, {
        content: { expiresAt: from.content.issuedAt + 2 * hour },
        claims: { nbf: from.content.issuedAt + hour },
      }),
  },
  wrongAudience: {
    why: 'the token was issued for another API (RFC 7519 §4.1.3)',
    make: from =>
      from.profile.audienceClaim === 'aud'
        ? signed(from, { claims: { aud: 'https://somebody-else.example' } })
        : signed(from, { claims: { [from.profile.audienceClaim]: 'somebody-else' } }),
  },
  withoutAudience: {
    why: 'the token has no audience (RFC 9068 §2.2)',
    make: from => signed(from, { claims: { [from.profile.audienceClaim]: undefined } }),
  },
  wrongIssuer: {
    why: 'the iss claim identifies a different issuer (RFC 7519 §4.1.1)',
    make: from => signed(from, { claims: { iss: 'https://another-issuer.example' } }),
  },
  withoutIssuer: {
    why: 'the token has no iss claim (RFC 9068 §2.2)',
    make: from => signed(from, { claims: { iss: undefined } }),
  },
  wrongType: {
    why: 'the typ header identifies a logout token, not an access token (RFC 8725 §3.11)',
    make: from => signed(from, { header: { typ: 'logout+jwt' } }),
  },
  idToken: {
    why: 'the token is an ID token, not an access token (RFC 9068 §4)',
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
    why: 'the token does not have the required scope (RFC 6750 §3.1)',
    status: 403,
    unless: ({ content }) => content.scopes.length === 0,
    make: from => signed(from, { content: { scopes: [] } }),
  },
  criticalExtension: {
    why: 'the crit header lists an unknown extension (RFC 7515 §4.1.11)',
    make: from => signed(from, { header: { crit: ['urn:example:unknown'], 'urn:example:unknown': true } }),
  },
}
