export { clip, describeAnswer, headerOf, jsonObjectIn, type IssuerAnswer, type JsonObject } from './answer.js'
export type { BodyText } from './read-body.js'
export type { AssertionAudience, AssertionKey, SignAssertion } from './authenticate/client-assertion.js'
export {
  assertionAudienceOf,
  authenticate,
  canChange,
  secretMethods,
  type ClientCredentials,
  type SecretMethod,
} from './authenticate/client-authentication.js'
export {
  assertionKeyOf,
  credentialOptions,
  type CredentialOptions,
} from './authenticate/credential-options.js'
export type { PrivateKeyInput } from './authenticate/private-key.js'
export type { ProvideContext, Provided } from './authenticate/provide.js'
export { secretMethodFor } from './authenticate/secret-method.js'
export {
  connectToIssuer,
  requestFrom,
  type ConnectionOptions,
  type FetchRequest,
  type IssuerConnection,
  type IssuerExchange,
  type IssuerRequest,
} from './connection.js'
export { discoverMetadata, type IssuerMetadata } from './discover.js'
export { endpointIn } from './endpoint.js'
export { asError, IssuerConnectionError, messageOf, problemOf, type ConnectionProblem } from './errors.js'
export { dispatchersByIdentity, type DispatchersByIdentity } from './dispatchers-by-identity.js'
export { beforeAbort, within } from './in-time.js'
export { createAgent, type TlsSettings, type UndiciAgents } from './open-dispatcher.js'
export {
  fixedIdentity,
  reloadIdentity,
  type ReloadedCertificate,
  type TlsIdentity,
  type TlsSource,
} from './tls-identity.js'
