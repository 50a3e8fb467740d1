export { createTestIssuer, type TestIssuer } from './test-issuer.js'
export type { ClientCredentials } from './clients/registry.js'
export type { TokenOptions } from './token-options.js'
export type { TestIssuerOptions } from './options.js'
export type {
  AuthenticationMethod,
  ClientAssertionRules,
  ClientRegistration,
  GrantName,
} from './clients/registration.js'
export type { TestClock } from './clock.js'
export type { Claims, ProfileName } from './issue/profile.js'
export type { TokenBinding, TokenShape } from './issue/sign-token.js'
export type { SigningAlgorithm } from './issue/key-pairs.js'
export type { PublicJwk } from './issue/signing-keys.js'
export type { BadToken } from './check/bad-tokens.js'
export { expectProtected } from './expect-protected/expect-protected.js'
export type { InjectableApp } from './expect-protected/injectable-app.js'
export type { ExpectProtectedOptions } from './expect-protected/options.js'
export type { ProtectedRoute } from './expect-protected/protected-route.js'
export type { Endpoint } from './serve/endpoints.js'
export type { Failure } from './serve/failures.js'
export type { IssuerFetch } from './serve/fetch.js'
export type { IssuerDispatcher } from './serve/dispatcher.js'
export type { RecordedRequest, RecordedRequests } from './serve/recorded-requests.js'
