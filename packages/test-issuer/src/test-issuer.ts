import type { ClientRegistration, RegisteredClient } from './clients.js'
import { registerClient } from './clients.js'
import { makeBadTokens, type BadToken } from './check/bad-tokens.js'
import { createClock, type TestClock } from './clock.js'
import type { TokenContent } from './issue/profiles.js'
import { signToken } from './issue/sign-token.js'
import { createSigningKeys, type PublicJwk } from './issue/signing-keys.js'
import { parseOptions, type TestIssuerOptions } from './options.js'
import { createHandle, type Handle } from './serve/answer.js'
import { createDispatcher, type IssuerDispatcher } from './serve/dispatcher.js'
import { endpointsOf, type Endpoint } from './serve/endpoints.js'
import { json } from './serve/exchange.js'
import { createFailures, type Failure } from './serve/failures.js'
import { createFetch, type IssuerFetch } from './serve/fetch.js'
import { listen } from './serve/listener.js'
import { metadataOf } from './serve/metadata.js'
import { createRequestLog, type RecordedRequests } from './serve/recorded-requests.js'
import { answerIntrospection } from './token-endpoint/introspection.js'
import { createOwnTokens } from './token-endpoint/own-tokens.js'
import { answerTokenRequest } from './token-endpoint/token-endpoint.js'
import { readTokenOptions, type TokenOptions } from './token-options.js'

/** A client's credentials, to be handed to the client under test. */
export interface ClientCredentials {
  readonly clientId: string
  /** Empty for a client that authenticates by its keys. */
  readonly clientSecret: string
}

/** A running issuer. */
export interface TestIssuer extends AsyncDisposable {
  /** The issuer identifier: what a token's `iss` says, and what an `issuer` option wants. */
  readonly url: string
  readonly tokenEndpoint: string
  readonly jwksUri: string
  readonly introspectionEndpoint: string
  /** The JWK set, as it is published now. */
  readonly jwks: { readonly keys: readonly PublicJwk[] }
  /** The issuer's time. */
  readonly clock: TestClock
  /** What the issuer was asked, in order. */
  readonly requests: RecordedRequests
  /** `fetch` and an undici dispatcher that end here without a socket. */
  readonly fetch: IssuerFetch
  readonly dispatcher: IssuerDispatcher
  /** Signs a token, whatever the registered clients may have. @throws {TypeError} when it would be for nobody */
  token(options?: TokenOptions): Promise<string>
  /** Tokens that a resource server must refuse, each with the reason; made from the good token that the same options give. */
  badTokens(options?: TokenOptions): Promise<readonly BadToken[]>
  /** Adds a client, or replaces the one with its id; its secret is made up when none is given. */
  registerClient(registration: ClientRegistration): ClientCredentials
  /** Signs with a new key from now on; the ones before stay published. Gives the new key's id. */
  rotateKeys(): Promise<string>
  /** Takes a key out of the JWK set, by default the one that signs; a new one takes its place. @throws {TypeError} where there is no such key */
  withdrawKey(kid?: string): Promise<void>
  /** From now on introspection says that the token is not active. */
  revoke(token: string): void
  /** Makes an endpoint misbehave. */
  fail(endpoint: Endpoint, failure: Failure): void
  /** Ends what `fail` began, for an endpoint or for all. */
  recover(endpoint?: Endpoint): void
  /** Cuts all connections, and every new one. */
  offline(): void
  online(): void
  close(): Promise<void>
}

/**
 * Starts an issuer on a free loopback port: metadata, keys, token endpoint, introspection, with real signatures
 * and real client authentication.
 *
 * ```ts
 * await using issuer = await createTestIssuer({ audience: 'https://api.example.com' })
 * const token = await issuer.token({ scopes: ['orders:read'] })
 * ```
 * @throws {TypeError} naming the option that is wrong
 */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  const settings = parseOptions(options)
  const { profile, expiresInMs } = settings
  const clients = new Map<string, RegisteredClient>()
  const register = (registration: ClientRegistration): ClientCredentials => {
    const client = registerClient(registration)
    clients.set(client.clientId, client)
    return { clientId: client.clientId, clientSecret: client.clientSecret ?? '' }
  }
  for (const registration of settings.clients) register(registration)

  const keys = await createSigningKeys(settings.algorithm, profile.namesAlgorithm)
  let handle: Handle
  const listener = settings.listen ? await listen(settings.port, () => handle) : undefined
  const origin = listener === undefined ? settings.origin : `http://127.0.0.1:${listener.port}`
  const url = `${origin}${profile.issuerPath}`
  const tokenEndpoint = `${origin}${profile.tokenPath}`

  const clock = createClock(settings.clock)
  const log = createRequestLog(clock.now)
  const failures = createFailures()
  const tokens = createOwnTokens(url, keys, clock.now)
  const closing = new AbortController()
  const seen = new Set<string>()
  const directory = {
    clients,
    ownNames: [url, tokenEndpoint],
    now: clock.now,
    once: (id: string) => seen.size < seen.add(id).size,
    tokens,
  }
  const dated = <Content extends object>(content: Content, lifetimeMs: number) => {
    const now = clock.now()
    return {
      ...content,
      issuer: url,
      issuedAt: Math.floor(now / 1000),
      expiresAt: Math.floor((now + lifetimeMs) / 1000),
    }
  }
  const contentOf = (given: TokenOptions): TokenContent => {
    const { expiresInMs: lifetimeMs, ...content } = readTokenOptions(given, settings)
    return dated(content, lifetimeMs)
  }

  handle = createHandle({
    endpoints: endpointsOf(profile),
    answers: {
      discovery: () => json(200, metadataOf(url, origin, profile, settings.algorithm)),
      jwks: () => json(200, { keys: keys.published.map(key => key.jwk) }),
      token: (request, record) =>
        answerTokenRequest(
          request,
          {
            ...directory,
            url: tokenEndpoint,
            expiresInMs,
            issue: (content, shape) => signToken(dated(content, expiresInMs), shape, profile, keys.current),
          },
          record,
        ),
      introspection: (request, record) => answerIntrospection(request, directory, record),
    },
    failures,
    log,
    closing: closing.signal,
  })
  let reachable = true
  const setReachable = (value: boolean): void => {
    reachable = value && !closing.signal.aborted
    listener?.setReachable(reachable)
  }
  const fetch = createFetch(origin, handle, () => reachable)

  const close = async (): Promise<void> => {
    closing.abort()
    setReachable(false)
    await listener?.close()
  }

  return {
    url,
    tokenEndpoint,
    jwksUri: `${origin}${profile.jwksPath}`,
    introspectionEndpoint: `${origin}${profile.introspectionPath}`,
    get jwks() {
      return { keys: keys.published.map(key => key.jwk) }
    },
    clock,
    requests: log.requests,
    fetch,
    dispatcher: createDispatcher(fetch),
    token: async (given = {}) => signToken(contentOf(given), given, profile, keys.current),
    badTokens: async (given = {}) =>
      makeBadTokens({ content: contentOf(given), shape: given, profile, key: keys.current }),
    registerClient: register,
    rotateKeys: async () => (await keys.rotate()).kid,
    withdrawKey: (kid = keys.current.kid) => keys.withdraw(kid),
    revoke: token => tokens.revoke(token),
    fail: (endpoint, failure) => failures.add(endpoint, failure),
    recover: endpoint => failures.clear(endpoint),
    offline: () => setReachable(false),
    online: () => setReachable(true),
    close,
    [Symbol.asyncDispose]: close,
  }
}
