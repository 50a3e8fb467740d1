import { profiles, type Claims } from '../claims/profiles.js'
import type { Refusal, RefusalKind } from '../errors.js'
import { showValue } from '../show-value.js'
import type { Candidate } from '../verify/candidate.js'
import type { CheckName } from './explanation.js'
import type { RecognizedIssuer } from './recognize-issuer.js'

/** A failed check with the data for its advice. */
export interface Failure {
  readonly name: CheckName
  readonly refusal: Refusal
  readonly candidate: Candidate
  readonly recognized: RecognizedIssuer | undefined
}

/** Returns how to fix a failed check: the option to set, or the change to make elsewhere. */
export function adviceFor(failure: Failure): string {
  const known = advice[failure.refusal.kind ?? failure.name]
  return typeof known === 'string' ? known : known(failure)
}

const getToken =
  'Request the token for this API: in fastify-token-client, set `resource` (RFC 8707), `audience` (Auth0) or `scopes` alone (Entra ID, Keycloak, Cognito), as the issuer expects'
const clocks =
  'Get a new token. If a new token fails too, compare the clocks of this machine and of the issuer; `clockToleranceMs` is the tolerated difference'
const unreachable =
  'Check whether this machine reaches the issuer. Set `jwksUri` or `metadataUrl` if the keys are elsewhere, `ca` for a private certificate authority, and NODE_USE_ENV_PROXY=1 or `issuerDispatcher` behind a proxy'

/** The advice by the kind of the refusal, or by the check if the refusal has no kind. A missing entry is a compile error. */
const advice: Readonly<Record<CheckName | RefusalKind, string | ((failure: Failure) => string)>> = {
  format: ({ candidate }) => adviceAboutText(candidate.raw),
  'duplicate member':
    'Configure the issuer to write each member only once, because parsers disagree about which duplicate is valid',
  'no alg': 'Configure the issuer to write the header parameter `alg` as a string (RFC 7515 §4.1.1)',
  'unsupported header':
    'Configure the issuer to omit this header parameter: it requires processing that access tokens do not need',
  'invalid kid':
    'Configure the issuer to write `kid` as a string of at most 1024 characters (RFC 7515 §4.1.4)',
  'invalid typ': 'Configure the issuer to write `typ` as a string (RFC 7515 §4.1.9)',
  'too long': 'Configure the issuer to put fewer claims into the token, such as fewer groups',
  algorithm:
    'Configure the issuer to sign with an asymmetric algorithm such as RS256 or ES256. With a shared secret, every service that verifies tokens could also issue them',
  'trusted issuer': ({ candidate, refusal }) =>
    refusal.reason === 'unavailable'
      ? 'Check why the function `issuers` fails, and try again. Explanations may look up five unknown issuers per second'
      : `If you trust this issuer, add an issuer with \`issuer: ${claim(candidate, 'iss')}\` to \`issuers\``,
  'allowed algorithm': ({ candidate }) =>
    `Add ${showValue(candidate.decoded?.header.alg)} to \`algorithms\` if this issuer may sign with it`,
  typ: adviceAboutProfile,
  kind: adviceAboutProfile,
  'required claims': adviceAboutMissing,
  'claim types': 'Correct the type of the claim at the issuer (RFC 7519 §4.1)',
  iss: ({ candidate }) =>
    `If you trust this issuer, set exactly \`issuer: ${claim(candidate, 'iss')}\`. Otherwise get the token from the configured issuer`,
  exp: clocks,
  nbf: clocks,
  iat: clocks,
  age: 'Get a new token, or increase `maxTokenAgeMs`',
  audience: ({ candidate }) =>
    `${getToken}. If the token is meant for this API, set \`audience\` to the audience of the token: ${claim(candidate, candidate.issuer?.rules.profile.audience ?? 'aud')}`,
  key: ({ refusal }) =>
    refusal.reason === 'unavailable'
      ? unreachable
      : 'The configured issuer did not sign the token, or has withdrawn the key. The token may be for another API (such as Microsoft Graph) or from another environment. If not, check `jwksUri` and `algorithms`',
  'too many requests':
    'Try again after `unknownKeyCooldownMs`: explanations may send two requests to the issuer in that time',
  unreachable,
  timeout:
    'Increase `issuerTimeoutMs`. Behind a proxy, set NODE_USE_ENV_PROXY=1 and HTTPS_PROXY, or set `issuerDispatcher` to a ProxyAgent of undici 7',
  certificate: "Set `ca` to the issuer's certificate authority, or set NODE_EXTRA_CA_CERTS",
  'issuer mismatch': 'Set `issuer` exactly as the metadata names it: often, only the trailing slash differs',
  'unusable answer': ({ name }) =>
    `Check \`issuer\`, or set \`metadataUrl\` or \`${name === 'introspection' ? 'introspection.endpoint' : 'jwksUri'}\``,
  signature:
    'The token was changed, or another party signed it. Get a new token. If a new token fails too, `jwksUri` or `keys` may belong to another issuer',
  'claims schema': 'Change the schema in the option `claims`, or the claims that the issuer writes',
  introspection: ({ refusal: { reason } }) => {
    if (reason === 'unavailable') return unreachable
    return reason === 'inactive'
      ? 'Get a new token. Some issuers report the tokens of other clients as inactive: introspect with the credentials of the client that got the token, or use JWTs'
      : 'The response of the issuer gets the same checks as the claims of a JWT: see `profile`, `audience` and `requiredClaims`'
  },
  'client refused':
    'Check the credentials in `introspection` and `introspection.clientAuthentication`: the issuer may expect another authentication method',
  'no aud': acceptWithout('aud'),
  'no exp': acceptWithout('exp'),
  revoked: 'Get a new token: this one was revoked with the function `revoke`',
  binding: ({ candidate }) =>
    (candidate.introspected?.claims ?? candidate.decoded?.claims)?.['cnf'] === undefined
      ? "Configure the client to get a DPoP-bound token (RFC 9449), or set `dpop: 'allow'` in the rule or in the options of the plugin"
      : 'The token is bound to a key of the client, and only a request can prove possession of that key. Send the token to a route, with the option `dpop` (RFC 9449) or `clientCertificate` (RFC 8705)',
  scopes: ({ refusal }) =>
    refusal.reason === 'audience'
      ? 'Get a token for the audience of the rule, or change the rule'
      : 'Grant the scopes to the client at the issuer (some issuers require admin consent), and request them, such as with `scopes` of fastify-token-client. Application permissions and roles are compared with `roles` of the rule',
  authentication: 'The user must authenticate again, as `acr` and `maxAgeMs` of the rule require (RFC 9470)',
}

function acceptWithout(claimName: string): string {
  return `If tokens of this issuer may be accepted without this claim, set \`introspection: { acceptWithout: ['${claimName}'] }\``
}

function claim({ decoded }: Candidate, name: string): string {
  return showValue(decoded?.claims[name])
}

function adviceAboutText(raw: string): string {
  if (raw === '') return 'No token was given: check the variable or the file that should contain it'
  const segments = raw.split('.').length
  if (/^(?:bearer|dpop)\s/i.test(raw)) return 'Pass the token without the authentication scheme'
  if (/\s|,/.test(raw.trim())) return 'Send one token, without spaces, quotes or commas'
  if (segments === 5)
    return 'The token is encrypted (JWE, RFC 7516), which is not supported. Configure the issuer to issue signed tokens for this API'
  if (segments === 1)
    return `The token is opaque. ${getToken}. Many issuers then issue a JWT. If this issuer has only opaque tokens, set \`introspection\``
  return 'The token is incomplete or was changed: compare it with the token that the issuer sent'
}

function adviceAboutProfile({ candidate, recognized }: Failure): string {
  const { decoded, issuer } = candidate
  if (recognized === undefined || issuer === undefined)
    return 'Send an access token instead of an ID token or a refresh token. If this is an access token, no `profile` matches it'
  const { vendor, profile, misfit } = recognized
  if (misfit !== undefined)
    return `The token seems to come from ${vendor}, but it is not an access token (${misfit}): send the access token instead of an ID token or a refresh token`
  const caution =
    profile === 'generic' && decoded?.header.type !== 'at+jwt'
      ? ', and `requiredClaims` to claims that only access tokens of this issuer have'
      : ''
  return `The token seems to come from ${vendor}: set \`profile: '${profile}'\`${caution}`
}

function adviceAboutMissing(failure: Failure): string {
  const { candidate, recognized } = failure
  const claims: Claims = candidate.decoded?.claims ?? {}
  const { profile } = candidate.issuer?.rules ?? {}
  for (const name of ['iss', 'exp'])
    if (isAbsent(claims, name))
      return `Configure the issuer to write \`${name}\`, which every token must have`
  if (recognized?.misfit === undefined && recognized !== undefined && !isConfigured(failure))
    return adviceAboutProfile(failure)
  if (profile !== undefined && claims[profile.audience] === undefined)
    return `${getToken}. Keycloak needs an audience mapper. Do not disable this check: otherwise, tokens for other services are accepted`
  return "Configure the issuer to write the claim, or remove it from `requiredClaims`. If no `profile` matches the tokens of this issuer, set `profile: 'generic'`"
}

function isAbsent(claims: Claims, name: string): boolean {
  return !Object.hasOwn(claims, name) || claims[name] === null
}

/** Returns whether the issuer is configured with the recognized profile. */
function isConfigured({ candidate, recognized }: Failure): boolean {
  return recognized !== undefined && candidate.issuer?.rules.profile === profiles[recognized.profile]
}
