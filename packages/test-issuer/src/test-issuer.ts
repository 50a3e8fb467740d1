import type { BadToken } from './check/bad-tokens.js'
import { createClientRegistry, type ClientCredentials, type ClientRegistry } from './clients/registry.js'
import type { ClientRegistration } from './clients/registration.js'
import { createClock, type TestClock } from './clock.js'
import type { TokenShape } from './issue/sign-token.js'
import { createSigningKeys, type PublicJwk, type SigningKeys } from './issue/signing-keys.js'
import { parseOptions, type Settings, type TestIssuerOptions } from './options.js'
import { createHandle, type Answer, type Handle } from './serve/answer.js'
import type { IssuerDispatcher } from './serve/dispatcher.js'
import { endpointsOf, urlsOf, type Endpoint, type IssuerUrls } from './serve/endpoints.js'
import { json } from './serve/exchange.js'
import { createFailures, type Failure, type Failures } from './serve/failures.js'
import type { IssuerFetch } from './serve/fetch.js'
import { metadataOf } from './serve/metadata.js'
import { openNetwork, type Network } from './serve/network.js'
import { createRequestLog, type RecordedRequests, type RequestLog } from './serve/recorded-requests.js'
import { answerIntrospection } from './token-endpoint/introspection.js'
import { createOwnTokens, type OwnTokens } from './token-endpoint/own-tokens.js'
import { answerTokenRequest } from './token-endpoint/token-endpoint.js'
import { createTokenFactory, type GrantedContent, type TokenFactory } from './token-factory.js'
import type { TokenOptions } from './token-options.js'

/** A running issuer. */
export interface TestIssuer extends AsyncDisposable {
  /** The issuer identifier. Tokens contain it as `iss`. Pass this identifier to the `issuer` option of a plugin. */
  readonly url: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
  readonly introspectionEndpoint: string
  /** The metadata document, for clients that accept metadata as an option. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** The currently published JWK set. */
  readonly jwks: { readonly keys: readonly PublicJwk[] }
  /** The clock of the issuer. */
  readonly clock: TestClock
  /** All requests that the issuer received, in order. */
  readonly requests: RecordedRequests
  /** A `fetch` function that reaches the issuer without a socket. */
  readonly fetch: IssuerFetch
  /** An undici dispatcher that reaches the issuer without a socket. */
  readonly dispatcher: IssuerDispatcher
  /**
   * Signs a token with any content. Unlike the token endpoint, this method is not restricted by client registrations.
   * @throws {TypeError} if an option is invalid or the token would have no audience
   */
  token(options?: TokenOptions): Promise<string>
  /**
   * Creates invalid variants of the token that `token()` creates from these options. Each variant has one flaw, and
   * `why` explains why a resource server must reject it.
   */
  badTokens(options?: TokenOptions): Promise<readonly BadToken[]>
  /**
   * Adds a client, or replaces the client with the same id. Generates a secret if the registration has neither a secret nor keys.
   * @throws {TypeError} if the registration is invalid
   */
  registerClient(registration: ClientRegistration): ClientCredentials
  /** Creates a new signing key and returns its id. Earlier keys stay published. */
  rotateKeys(): Promise<string>
  /**
   * Removes a key from the JWK set. By default, removes the current signing key and replaces it with a new key.
   * @throws {TypeError} if no published key has this id
   */
  withdrawKey(kid?: string): Promise<void>
  /** Revokes a token: introspection reports it as inactive, and the token endpoint rejects it. */
  revoke(token: string): void
  /**
   * Makes an endpoint fail, starting with the next request.
   * @throws {TypeError} if the endpoint or the failure is invalid
   */
  fail(endpoint: Endpoint, failure: Failure): void
  /** Cancels the planned failures of an endpoint. Without an argument, cancels those of all endpoints. */
  recover(endpoint?: Endpoint): void
  /**
   * Simulates an outage: closes existing connections, and until `online()` is called, also closes every new connection.
   */
  offline(): void
  online(): void
  close(): Promise<void>
}

/**
 * Starts an OAuth 2 issuer for tests, with real signatures and real client authentication. The issuer serves metadata,
 * keys, a token endpoint and an introspection endpoint on 127.0.0.1. The issuer does not keep the process alive.
 *
 * ```ts
 * await using issuer = await createTestIssuer({ audience: 'https://api.example.com' })
 * const token = await issuer.token({ scopes: ['orders:read'] })
 * ```
 * @throws {TypeError} if an option is invalid. The message names the option
 */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const settings = parseOptions(options)
  const { profile, algorithm } = settings
  const registry = createClientRegistry(settings.clients)
  const keys = await createSigningKeys(algorithm, profile.namesAlgorithm)
  // The request handler is assigned later, because it needs the origin, which is unknown until openNetwork() returns.
  let handle: Handle
  const network = await openNetwork(settings, request => handle(request))
  const urls = urlsOf(network.origin, profile)
  const clock = createClock(settings.clock)
  const parts: Parts = {
    network,
    urls,
    metadata: metadataOf(urls, algorithm),
    registry,
    keys,
    clock,
    log: createRequestLog(clock.now),
    failures: createFailures(),
    factory: createTokenFactory(urls.issuer, { settings, keys, now: clock.now }),
    tokens: createOwnTokens(urls.issuer, keys, clock.now),
  }
  handle = createHandle({
    endpoints: endpointsOf(profile),
    answers: answersOf(parts, settings),
    failures: parts.failures,
    log: parts.log,
    closing: network.closing,
  })
  return assemble(parts)
}

/** The parts of a running issuer. */
interface Parts {
  readonly network: Network
  readonly urls: IssuerUrls
  readonly metadata: Readonly<Record<string, unknown>>
  readonly registry: ClientRegistry
  readonly keys: SigningKeys
  readonly clock: TestClock
  readonly log: RequestLog
  readonly failures: Failures
  readonly factory: TokenFactory
  readonly tokens: OwnTokens
}

function answersOf(
  { urls, metadata, registry, keys, clock, factory, tokens }: Parts,
  { clientAssertions, expiresInMs, profile }: Settings,
): Readonly<Record<Endpoint, Answer>> {
  const used = new Set<string>()
  const context = {
    ...urls,
    clients: registry.clients,
    clientAssertions,
    expiresInMs,
    answersScope: profile.answersScope,
    now: clock.now,
    once: (id: string) => used.size < used.add(id).size,
    tokens,
    issue: (content: GrantedContent, shape: TokenShape) => factory.signGranted(content, shape),
  }
  return {
    discovery: () => json(200, metadata),
    jwks: () => json(200, { keys: keys.published.map(key => key.jwk) }),
    token: (request, record) => answerTokenRequest(request, context, record),
    introspection: (request, record) => answerIntrospection(request, context, record),
  }
}

function assemble({
  network,
  urls,
  metadata,
  registry,
  keys,
  clock,
  log,
  failures,
  factory,
  tokens,
}: Parts): TestIssuer {
  return {
    url: urls.issuer,
    tokenEndpoint: urls.tokenEndpoint,
    jwksUri: urls.jwksUri,
    introspectionEndpoint: urls.introspectionEndpoint,
    metadata,
    get jwks() {
      return { keys: keys.published.map(key => key.jwk) }
    },
    clock,
    requests: log.requests,
    fetch: network.fetch,
    dispatcher: network.dispatcher,
    token: (options = {}) => factory.sign(options),
    badTokens: (options = {}) => factory.signBad(options),
    registerClient: registration => registry.register(registration),
    rotateKeys: async () => (await keys.rotate()).kid,
    withdrawKey: (kid = keys.current.kid) => keys.withdraw(kid),
    revoke: token => tokens.revoke(token),
    fail: (endpoint, failure) => failures.add(endpoint, failure),
    recover: endpoint => failures.clear(endpoint),
    offline: () => network.setReachable(false),
    online: () => network.setReachable(true),
    close: () => network.close(),
    [Symbol.asyncDispose]: () => network.close(),
  }
}
