import type { FastifyBaseLogger } from 'fastify'
import { connectToIssuer, type IssuerConnection, type TlsSettings } from 'oauth-issuer-connection'
import { compileCustomClaims, type CheckCustomClaims } from './claims/check-custom-claims.js'
import type { Credentials } from './extract-token.js'
import { createIntrospection, mostQuestions, type IntrospectToken } from './introspection/introspect-token.js'
import type { KeySetState } from './keys/key-set.js'
import { andThen, type MaybePromise } from './later.js'
import type { Settings } from './options/options.js'
import type { Outcome } from './outcome.js'
import { loadFastifyJwt, type LoadSecond } from './signature/second-implementation.js'
import { createThreadPool } from './signature/thread-pool.js'
import { trustIssuer } from './trust-issuer.js'
import { createTokenCache } from './verify/token-cache.js'
import { createVerifyToken } from './verify/verify-token.js'

/** Everything that verification keeps: keys, connections, verified tokens. */
export interface Verifier {
  /** The earlier outcome for an `Authorization` header, if it is still valid. */
  remembered(header: string): Outcome | undefined
  /** Verifies a token and remembers the outcome under its header. */
  verify(presented: Pick<Credentials, 'accessToken' | 'header'>): MaybePromise<Outcome>
  /** Fetches the keys of every issuer. @throws the first failure */
  loadKeys(): Promise<void>
  close(): Promise<void>
  /** Verified tokens at hand, and each issuer's keys. */
  state(): {
    readonly cachedTokens: number
    readonly issuers: readonly ({ readonly issuer: string } & KeySetState)[]
  }
}

/** @param loadSecond loads the second implementation of signatures */
export async function createVerifier(
  settings: Settings,
  log: FastifyBaseLogger,
  loadSecond: LoadSecond = loadFastifyJwt,
): Promise<Verifier> {
  const { issuerDispatcher: dispatcher, issuerTimeoutMs: timeoutMs } = settings
  const connection = connectToIssuer({ dispatcher, timeoutMs, tls: trustOf(settings) })
  const threadPool = createThreadPool(settings.verifyInThreadPool)
  const issuers = settings.issuers.map(issuer =>
    trustIssuer(issuer, settings, { connection, threadPool, loadSecond, log }),
  )
  const introspection = connectForIntrospection(settings)
  const checkCustomClaims = await compileCustomClaims(settings.claims)
  const cache = createTokenCache(settings.maxCachedTokens, settings.clock)
  const verifyToken = createVerifyToken(issuers, {
    checkCustomClaims,
    introspect: introspectionOf(settings, introspection, checkCustomClaims),
    now: settings.clock,
  })
  return {
    remembered: header => cache.get(header),
    verify: ({ accessToken, header }) =>
      andThen(verifyToken(accessToken), verification => {
        cache.set(header, verification)
        return verification.outcome
      }),
    async loadKeys() {
      await Promise.all(issuers.map(({ keys }) => keys.load()))
    },
    async close() {
      await Promise.all([connection.close(), introspection.close()])
    },
    state: () => ({
      cachedTokens: cache.size,
      issuers: issuers.map(({ rules: { issuer }, keys }) => {
        const { kids, fetchedAt, failures } = keys.state()
        return { issuer, kids, fetchedAt, failures }
      }),
    }),
  }
}

/** Connections of its own: however many opaque tokens are introspected, keys are fetched without waiting for them. */
function connectForIntrospection(settings: Settings): IssuerConnection {
  const { issuerDispatcher: dispatcher, issuerTimeoutMs: timeoutMs, issuers } = settings
  const tls = issuers.find(({ introspection }) => introspection !== undefined)?.introspection?.tls
  return connectToIssuer({
    dispatcher,
    timeoutMs,
    connections: mostQuestions,
    tls: { ...trustOf(settings), ...tls },
  })
}

function trustOf({ ca }: Settings): TlsSettings {
  return ca === undefined ? {} : { ca }
}

/** Options see to it that only a single issuer has it. */
function introspectionOf(
  { issuers, clock }: Settings,
  connection: IssuerConnection,
  checkCustomClaims: CheckCustomClaims,
): IntrospectToken | undefined {
  for (const { introspection, rules, metadataUrl } of issuers)
    if (introspection !== undefined)
      return createIntrospection(introspection, {
        rules,
        metadataUrl,
        connection,
        checkCustomClaims,
        now: clock,
      })
  return undefined
}
