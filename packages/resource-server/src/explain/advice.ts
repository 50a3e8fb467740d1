import { profiles, type Claims } from '../claims/profiles.js'
import type { Refusal, RefusalKind } from '../errors.js'
import { showValue } from '../show-value.js'
import type { Candidate } from '../verify/candidate.js'
import type { CheckName } from './explanation.js'
import type { RecognizedIssuer } from './recognize-issuer.js'

export interface Failure {
  readonly name: CheckName
  readonly refusal: Refusal
  readonly candidate: Candidate
  readonly recognized: RecognizedIssuer | undefined
}

/** Returns advice on how to fix a failed check: an option to set, or a change at the issuer or the client. */
export function adviceFor(failure: Failure): string {
  const known = advice[failure.refusal.kind ?? failure.name]
  return typeof known === 'string' ? known : known(failure)
}

const getToken =
  'Request a token for this API. In fastify-token-client, set `resource` (for Auth0, Entra ID and issuers that support RFC 8707) or `scopes` (for Keycloak, Okta and Cognito)'
const clocks =
  'Get a new token. If the new token fails too, compare the clock of this machine with the clock of the issuer. `clockToleranceMs` sets the tolerated difference'
const unreachable =
  'Check whether this machine can reach the issuer. If the keys are at a different URL, set `jwksUri` or `metadataUrl`. If the issuer uses a private certificate authority, set `ca`. If requests must go through a proxy, set NODE_USE_ENV_PROXY=1 or `issuerDispatcher`'

/** The advice for failed checks, keyed by the kind of the refusal or, if it has no kind, by the name of the check. */
const advice: Readonly<Record<CheckName | RefusalKind, string | ((failure: Failure) => string)>> = {
  format: ({ candidate }) => adviceAboutText(candidate.raw),
  'duplicate member':
    'Configure the issuer not to repeat member names in a JSON object: parsers disagree about which of the values to use',
  'no alg': 'Configure the issuer to set the header parameter alg to a string (RFC 7515 §4.1.1)',
  'unsupported header':
    'Configure the issuer to omit the header parameter, because it is not supported in access tokens',
  'invalid kid':
    'Configure the issuer to set the header parameter kid to a string of at most 1024 characters (RFC 7515 §4.1.4)',
  'invalid typ': 'Configure the issuer to set the header parameter typ to a string (RFC 7515 §4.1.9)',
  'too long': 'Configure the issuer to include fewer claims or groups in the token',
  algorithm:
    'Configure the issuer to sign with an asymmetric algorithm such as RS256 or ES256. With a shared secret, every service that verifies tokens could also issue them',
  'trusted issuer': ({ candidate, refusal }) =>
    refusal.reason === 'unavailable'
      ? 'The function `issuers` failed. Find out why, or try again later: explanations look up at most five unknown issuers per second'
      : `Add this issuer to \`issuers\`, with \`issuer: ${claim(candidate, 'iss')}\`, if you trust it`,
  'allowed algorithm': ({ candidate }) =>
    `Add ${showValue(candidate.decoded?.header.alg)} to \`algorithms\` if this issuer may sign with it`,
  typ: adviceAboutProfile,
  kind: adviceAboutProfile,
  'required claims': adviceAboutMissing,
  'claim types': 'Configure the issuer to use the correct type for this claim (RFC 7519 §4.1)',
  iss: ({ candidate }) =>
    `Set \`issuer\` to exactly ${claim(candidate, 'iss')} if you trust this issuer. Otherwise, get a token from the configured issuer`,
  exp: clocks,
  nbf: clocks,
  iat: clocks,
  age: 'Increase `maxTokenAgeMs`, or get a new token',
  audience: ({ candidate }) =>
    `${getToken}. If the token is meant for this API, set \`audience\` to the token's audience: ${claim(candidate, candidate.issuer?.rules.profile.audience ?? 'aud')}`,
  key: ({ refusal }) =>
    refusal.reason === 'unavailable'
      ? unreachable
      : 'The configured issuer did not sign the token, or no longer publishes the key. The token may be for another API (such as Microsoft Graph) or from another environment. If neither is the case, check `jwksUri` and `algorithms`',
  'too many requests':
    'Try again after `unknownKeyCooldownMs`: in that time, `explain` sends at most two requests to the issuer',
  unreachable,
  timeout:
    'Increase `issuerTimeoutMs`. Behind a proxy, set NODE_USE_ENV_PROXY=1 and HTTPS_PROXY, or set `issuerDispatcher` to a ProxyAgent from undici 7',
  certificate: "Set `ca` to the issuer's certificate authority, or set NODE_EXTRA_CA_CERTS",
  'issuer mismatch':
    "Set `issuer` to exactly the value in the issuer's metadata. Often, only the trailing slash differs",
  'unusable answer': ({ name }) =>
    `Check \`issuer\`, or set \`metadataUrl\` or \`${name === 'introspection' ? 'introspection.endpoint' : 'jwksUri'}\``,
  signature:
    'The token was altered, or another party signed it. Get a new token. If the new token fails too, check that the keys belong to this issuer (`jwksUri` or `keys`)',
  'claims schema':
    'Change the claims schema (option `claims`), or configure the issuer to include claims that match the schema',
  introspection: ({ refusal: { reason } }) => {
    if (reason === 'unavailable') return unreachable
    return reason === 'inactive'
      ? 'Get a new token. Some issuers report tokens of other clients as inactive. With such an issuer, introspect with the credentials of the client that requested the token, or use JWTs'
      : 'The claims in the introspection response must pass the same checks as the claims of a JWT. `profile`, `audience` and `requiredClaims` control these checks'
  },
  'client refused':
    'Check the client credentials for introspection. If they are correct, the issuer may expect a different authentication method: set `introspection.clientAuthentication`',
  'no aud': acceptWithout('aud'),
  'no exp': acceptWithout('exp'),
  revoked: 'Get a new token, because this token was revoked',
  binding: ({ candidate }) =>
    (candidate.introspected?.claims ?? candidate.decoded?.claims)?.['cnf'] === undefined
      ? "Configure the client to get a DPoP-bound token (RFC 9449). To accept unbound tokens, set `dpop: 'allow'` in the rule or in the plugin's options"
      : 'The token is bound to a key, and only a request can prove possession of that key. Send the token in a request, and set the option `dpop` (RFC 9449) or `clientCertificate` (RFC 8705)',
  scopes: ({ refusal }) =>
    refusal.reason === 'audience'
      ? 'Get a token for the audience that the rule requires, or change the rule'
      : 'Grant the scopes to the client at the issuer (some issuers require admin consent), and request them, for example with the scopes option of fastify-token-client. If the token has roles or application permissions instead of scopes, set `roles` in the rule',
  authentication: 'The user must authenticate again to meet acr and maxAgeMs in the rule (RFC 9470)',
}

function acceptWithout(claimName: string): string {
  return `To accept tokens from this issuer without this claim, set \`introspection: { acceptWithout: ['${claimName}'] }\``
}

function claim({ decoded }: Candidate, name: string): string {
  return showValue(decoded?.claims[name])
}

function adviceAboutText(raw: string): string {
  if (raw === '') return 'No token was given: check the variable or the file that should contain the token'
  const segments = raw.split('.').length
  if (/^(?:bearer|dpop)\s/i.test(raw))
    return 'Pass the token without the authentication scheme (Bearer or DPoP)'
  if (/\s|,/.test(raw.trim())) return 'Pass a single token without spaces, quotes or commas'
  if (segments === 5)
    return 'The token is encrypted (JWE, RFC 7516), which is not supported. Configure the issuer to issue signed tokens for this API'
  if (segments === 1)
    return `The token is opaque. ${getToken}. In response to such a request, many issuers issue a JWT. If this issuer issues only opaque tokens, set \`introspection\``
  return 'The token was truncated or altered in transit; compare it with the token that the issuer sent'
}

function adviceAboutProfile({ candidate, recognized }: Failure): string {
  const { decoded, issuer } = candidate
  if (recognized === undefined || issuer === undefined)
    return 'Send an access token instead of an ID token or a refresh token. If the token is already an access token, it matches none of the supported profiles'
  const { vendor, profile, misfit } = recognized
  if (misfit !== undefined)
    return `The token seems to come from ${vendor}, but it is not an access token (${misfit}): send the access token instead of an ID token or a refresh token`
  const caution =
    profile === 'generic' && decoded?.header.type !== 'at+jwt'
      ? ', and set `requiredClaims` to claims that only the access tokens from this issuer have'
      : ''
  return `The token seems to come from ${vendor}: set \`profile: '${profile}'\`${caution}`
}

function adviceAboutMissing(failure: Failure): string {
  const { candidate, recognized } = failure
  const claims: Claims = candidate.decoded?.claims ?? {}
  const { profile } = candidate.issuer?.rules ?? {}
  for (const name of ['iss', 'exp'])
    if (isAbsent(claims, name))
      return `Configure the issuer to include the claim ${name}, which every token must have`
  if (recognized?.misfit === undefined && recognized !== undefined && !isConfigured(failure))
    return adviceAboutProfile(failure)
  if (profile !== undefined && claims[profile.audience] === undefined)
    return `${getToken}. In Keycloak, add an audience mapper. Do not disable this check: otherwise, tokens for other services would be accepted`
  return "Configure the issuer to include the claim, or remove the claim from the option requiredClaims. If no `profile` matches tokens from this issuer, set `profile: 'generic'`"
}

function isAbsent(claims: Claims, name: string): boolean {
  return !Object.hasOwn(claims, name) || claims[name] === null
}

/** Returns whether the issuer is already configured with the recognized profile. */
function isConfigured({ candidate, recognized }: Failure): boolean {
  return recognized !== undefined && candidate.issuer?.rules.profile === profiles[recognized.profile]
}
