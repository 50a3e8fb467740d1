export { createTestIssuer, type ClientCredentials, type TestIssuer } from './test-issuer.js'
export type { TokenOptions } from './token-options.js'
export type { TestIssuerOptions } from './options.js'
export type { AuthenticationMethod, ClientRegistration, GrantName } from './clients.js'
export type { TestClock } from './clock.js'
export type { Claims, ProfileName } from './issue/profiles.js'
export type { TokenBinding, TokenShape } from './issue/sign-token.js'
export type { PublicJwk, SigningAlgorithm } from './issue/signing-keys.js'
export type { BadToken } from './check/bad-tokens.js'
export {
  expectProtected,
  type ExpectProtectedOptions,
  type InjectableApp,
  type ProtectedRoute,
} from './expect-protected.js'
export type { Endpoint } from './serve/endpoints.js'
export type { Failure } from './serve/failures.js'
export type { IssuerFetch } from './serve/fetch.js'
export type { IssuerDispatcher } from './serve/dispatcher.js'
export type { RecordedRequest, RecordedRequests } from './serve/recorded-requests.js'
