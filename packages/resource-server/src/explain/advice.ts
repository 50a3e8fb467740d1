import { profiles, type Claims } from '../claims/profiles.js'
import type { Refusal, RefusalKind } from '../errors.js'
import { showValue } from '../show-value.js'
import type { Candidate } from '../verify/candidate.js'
import type { CheckName } from './explanation.js'
import type { RecognizedIssuer } from './recognize-issuer.js'

/** A check that refused a token. */
export interface Failure {
  readonly name: CheckName
  readonly refusal: Refusal
  readonly candidate: Candidate
  readonly recognized: RecognizedIssuer | undefined
}

/** Says how to fix a check that failed: the option to set, or what to change elsewhere. */
export function adviceFor(failure: Failure): string {
  const known = advice[failure.refusal.kind ?? failure.name]
  return typeof known === 'string' ? known : known(failure)
}

const getToken =
  "Make the client name this API in its token request: fastify-token-client's option `resource` (RFC 8707), `audience` (Auth0) or `scopes` alone (Entra ID, Keycloak, Cognito), whichever the issuer takes"
const clocks =
  'Get a new token. If this one is new, compare the clocks of this machine and of the issuer; `clockToleranceMs` is how far they may be apart'
const unreachable =
  'See whether this machine reaches the issuer. If the keys are elsewhere, set `jwksUri` or `metadataUrl`; for a private certificate authority `ca`; behind a proxy NODE_USE_ENV_PROXY=1 or `issuerDispatcher`'

/** The advice by the kind of the refusal, or else by the check. A missing entry is a compile error. */
const advice: Readonly<Record<CheckName | RefusalKind, string | ((failure: Failure) => string)>> = {
  format: ({ candidate }) => adviceAboutText(candidate.raw),
  'duplicate member': 'Let the issuer write each member once: parsers disagree about which of two counts',
  'no alg': 'Let the issuer name the algorithm in the header, as text (RFC 7515 §4.1.1)',
  'unsupported header':
    'Let the issuer leave this header parameter out: it asks for processing that access tokens do not need',
  'invalid kid': 'Let the issuer write `kid` as text of at most 1024 characters (RFC 7515 §4.1.4)',
  'invalid typ': 'Let the issuer write `typ` as text (RFC 7515 §4.1.9)',
  'too long': 'Let the issuer put less into the token, such as fewer groups',
  algorithm:
    'Let the issuer sign with an asymmetric algorithm such as RS256 or ES256: with a shared secret, every service could also issue tokens',
  'trusted issuer': ({ candidate, refusal }) =>
    refusal.reason === 'unavailable'
      ? 'See why the function `issuers` fails, and try again. Explanations may make it look up five unknown issuers in a second'
      : `Add an issuer with \`issuer: ${claim(candidate, 'iss')}\` to \`issuers\`, if you trust it`,
  'allowed algorithm': ({ candidate }) =>
    `Add ${showValue(candidate.decoded?.header.alg)} to \`algorithms\`, if this issuer is to sign with it`,
  typ: adviceAboutProfile,
  kind: adviceAboutProfile,
  'required claims': adviceAboutMissing,
  'claim types': 'The issuer writes the claim in another type than RFC 7519 §4.1 says: correct it there',
  iss: ({ candidate }) =>
    `Set \`issuer: ${claim(candidate, 'iss')}\`, character by character, if that is the issuer you trust; otherwise get the token from the configured one`,
  exp: clocks,
  nbf: clocks,
  iat: clocks,
  age: 'Get a new token, or raise `maxTokenAgeMs`',
  audience: ({ candidate }) =>
    `${getToken}. If the token is meant for this API, set \`audience\` to what it names: ${claim(candidate, candidate.issuer?.rules.profile.audience ?? 'aud')}`,
  key: ({ refusal }) =>
    refusal.reason === 'unavailable'
      ? unreachable
      : 'The configured issuer did not sign it, or has withdrawn the key. Is it a token for another API (Microsoft Graph, for example), of another environment, or from before the issuer lost its keys? Otherwise look at `jwksUri` and `algorithms`',
  'too many requests':
    'Try again after `unknownKeyCooldownMs`: explanations may cause two requests in that time',
  unreachable,
  timeout:
    'Raise `issuerTimeoutMs`; behind a proxy, set NODE_USE_ENV_PROXY=1 and HTTPS_PROXY, or give an undici 7 ProxyAgent as `issuerDispatcher`',
  certificate: 'Give the certificate authority in `ca`, or set NODE_EXTRA_CA_CERTS',
  'issuer mismatch':
    'Set `issuer` exactly as the metadata names it, often with or without a slash at the end',
  'unusable answer': ({ name }) =>
    `Give \`metadataUrl\` or \`${name === 'introspection' ? 'introspection.endpoint' : 'jwksUri'}\``,
  signature:
    'The token was changed on its way, or somebody else signed it. Get a new one; if that fails too, `jwksUri` or `keys` may belong to another issuer',
  'claims schema': 'Change the schema in the option `claims`, or what the issuer writes into the token',
  introspection: ({ refusal: { reason } }) => {
    if (reason === 'unavailable') return unreachable
    return reason === 'inactive'
      ? 'Get a new token. Some issuers call tokens of other clients inactive: introspect with the client that got it, or use JWTs'
      : 'The answer of the issuer is checked as the claims of a JWT are: look at `profile`, `audience` and `requiredClaims`'
  },
  'client refused':
    'Look at the credentials in `introspection` and at `introspection.clientAuthentication`: the issuer may expect them in another form',
  'no aud': acceptWithout('aud'),
  'no exp': acceptWithout('exp'),
  revoked: 'Get a new token. The revocation was made with `fastify.oauth.revoke`',
  binding: ({ candidate }) =>
    (candidate.introspected?.claims ?? candidate.decoded?.claims)?.['cnf'] === undefined
      ? "Let the client get a token that is bound to its key (RFC 9449), or set `dpop: 'allow'` in the rule or the plugin"
      : 'The token is bound to a key of its client. Without a request there is no proof of it: send it to a route, with the plugin’s option `dpop` (RFC 9449) or `clientCertificate` (RFC 8705)',
  scopes: ({ refusal }) =>
    refusal.reason === 'audience'
      ? 'Get a token for the audience that the rule names, or change the rule'
      : 'Grant the scopes to the client at the issuer (with admin consent where it has that), and request them: `scopes` of fastify-token-client. Application permissions and roles are compared with `roles` of the rule',
  authentication: 'The user has to authenticate again, as `acr` and `maxAgeMs` of the rule demand (RFC 9470)',
}

function acceptWithout(claimName: string): string {
  return `Set \`introspection: { acceptWithout: ['${claimName}'] }\`, if every token of this issuer may be used without that check`
}

function claim({ decoded }: Candidate, name: string): string {
  return showValue(decoded?.claims[name])
}

function adviceAboutText(raw: string): string {
  if (raw === '') return 'No token was given: check the variable or file that it comes from'
  const segments = raw.split('.').length
  if (/^(?:bearer|dpop)\s/i.test(raw)) return 'Give the token alone, without the scheme in front of it'
  if (/\s|,/.test(raw.trim())) return 'Send one token, without spaces, quotes or commas'
  if (segments === 5)
    return 'The token is encrypted (JWE, RFC 7516), which no option accepts: let the issuer issue signed tokens for this API'
  if (segments === 1)
    return `The token is opaque. ${getToken}; many issuers issue a JWT then. If this issuer has only opaque tokens, set \`introspection\``
  return 'The token was cut off or changed on its way: compare it with what the issuer sent'
}

function adviceAboutProfile({ candidate, recognized }: Failure): string {
  const { decoded, issuer } = candidate
  if (recognized === undefined || issuer === undefined)
    return 'It is not an access token, or one that no `profile` describes: send the access token, not an ID or refresh token'
  const { vendor, profile, misfit } = recognized
  if (misfit !== undefined)
    return `It looks like a token of ${vendor}, but not like an access token (${misfit}): send the access token, not an ID or refresh token`
  const caution =
    profile === 'generic' && decoded?.header.type !== 'at+jwt'
      ? ', with `requiredClaims` that only its access tokens have'
      : ''
  return `It looks like a token of ${vendor}: set \`profile: '${profile}'\`${caution}`
}

function adviceAboutMissing(failure: Failure): string {
  const { candidate, recognized } = failure
  const claims: Claims = candidate.decoded?.claims ?? {}
  const { profile } = candidate.issuer?.rules ?? {}
  for (const name of ['iss', 'exp'])
    if (isAbsent(claims, name))
      return `Let the issuer write \`${name}\`: it is required of every token, and no option changes that`
  if (recognized?.misfit === undefined && recognized !== undefined && !isConfigured(failure))
    return adviceAboutProfile(failure)
  if (profile !== undefined && claims[profile.audience] === undefined)
    return `${getToken}. Keycloak needs an audience mapper. Do not look for a way around this check: without it, tokens for other services pass`
  return "Let the issuer write the claim, or take it out of `requiredClaims`. Claims of an issuer that no `profile` describes: `profile: 'generic'`"
}

function isAbsent(claims: Claims, name: string): boolean {
  return !Object.hasOwn(claims, name) || claims[name] === null
}

/** Whether the profile that fits is the one that is configured. */
function isConfigured({ candidate, recognized }: Failure): boolean {
  return recognized !== undefined && candidate.issuer?.rules.profile === profiles[recognized.profile]
}
