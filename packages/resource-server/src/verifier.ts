import { connectToIssuer, type TlsSettings } from 'oauth-issuer-connection'
import { compileCustomClaims } from './claims/check-custom-claims.js'
import { IssuerError, Refusal } from './errors.js'
import type { Credentials } from './extract-token.js'
import { connectIntrospection, type Connect } from './connect-introspection.js'
import { connectRevocations } from './connect-revocations.js'
import type { KeySetState } from './keys/key-set.js'
import { createResolvedIssuers, type ResolvedIssuers } from './issuers/resolved-issuers.js'
import { andThen, type MaybePromise } from './later.js'
import type { Logger } from './log.js'
import type { IssuerSettings } from './options/issuer-options.js'
import type { Settings } from './options/options.js'
import type { Outcome } from './outcome.js'
import { createResolutionReport } from './report-resolution.js'
import { loadFastifyJwt, type LoadSecond } from './signature/second-implementation.js'
import { createThreadPool } from './signature/thread-pool.js'
import { refuseRevoked } from './revocation/refuse-revoked.js'
import type { Revocations } from './revocation/revocations.js'
import type { RevocationStats } from './stats.js'
import { trustIssuer } from './trust-issuer.js'
import { createTokenCache, type Verification } from './verify/token-cache.js'
import type { TrustedIssuer } from './verify/candidate.js'
import { chooseAmong } from './verify/choose-issuer.js'
import { createTokenVerifier, type TokenVerifier } from './verify/verify-token.js'

/** Verifies tokens, and caches keys and verified tokens. */
export interface CachedVerifier {
  /** Returns the cached result for an `Authorization` header, or undefined if no valid result is cached. */
  remembered(header: string): Outcome | undefined
  /** Verifies a token and caches the result, keyed by the `Authorization` header. */
  verify(presented: Pick<Credentials, 'accessToken' | 'header'>): MaybePromise<Outcome>
  /**
   * Fetches the keys of every issuer.
   * @throws {IssuerError} if any issuer's keys cannot be fetched
   */
  loadKeys(): Promise<void>
  close(): Promise<void>
  /** Returns the verification steps for a token, in the order in which they run. */
  readonly stepsFor: TokenVerifier['stepsFor']
  /** The revocations, or undefined if the `revocation` option is not set. */
  readonly revocations: Revocations | undefined
  /** Returns the number of cached tokens and the state of each issuer's keys. */
  state(): {
    readonly cachedTokens: number
    readonly issuers: readonly ({ readonly issuer: string } & KeySetState)[]
    readonly revocations?: RevocationStats
  }
}

/**
 * @param loadSecond loads @fastify/jwt, which verifies the first signature for each combination of key and algorithm a
 * second time, to detect whether this package passes wrong parameters to `node:crypto`
 */
export async function createCachedVerifier(
  settings: Settings,
  log: Logger,
  loadSecond: LoadSecond = loadFastifyJwt,
): Promise<CachedVerifier> {
  const connect = connectorFor(settings)
  const connection = connect()
  const threadPool = createThreadPool(settings.verifyInThreadPool)
  const trust = (issuer: IssuerSettings): TrustedIssuer =>
    trustIssuer(issuer, settings, { connection, threadPool, loadSecond, log })
  const issuers = settings.issuers.map(trust)
  const resolved = resolvedIssuers(settings, trust, log)
  const checkCustomClaims = await compileCustomClaims(settings.claims)
  const introspection = connectIntrospection(settings, { connect, checkCustomClaims })
  const cache = createTokenCache(settings.maxCachedTokens, settings.clock)
  const tokens = createTokenVerifier(resolved?.choose ?? chooseAmong(issuers), {
    checkCustomClaims,
    introspect: introspection.introspect,
    now: settings.clock,
  })
  const revocations = connectRevocations(settings, log)
  const verified: Pick<CachedVerifier, 'remembered' | 'verify'> = {
    remembered: header => cache.get(header),
    verify: ({ accessToken, header }) =>
      andThen(tokens.verify(accessToken), verification => {
        if (revocations !== undefined) noteKey(revocations, verification)
        cache.set(header, verification)
        return verification.outcome
      }),
  }
  return {
    ...(revocations === undefined ? verified : refuseRevoked(verified, revocations)),
    stepsFor: raw => tokens.stepsFor(raw),
    revocations,
    async loadKeys() {
      await Promise.all(issuers.map(({ keys }) => keys.load())).catch((error: unknown) => {
        throw new IssuerError((error as Error).message)
      })
    },
    async close() {
      revocations?.close()
      await Promise.all([connection.close(), introspection.close()])
    },
    state: () => ({
      cachedTokens: cache.size,
      issuers: (resolved?.list() ?? issuers).map(({ rules: { issuer }, keys }) => {
        const { kids, fetchedAt, failures } = keys.state()
        return { issuer, kids, fetchedAt, failures }
      }),
      ...(revocations === undefined ? {} : { revocations: revocations.state() }),
    }),
  }
}

/**
 * If the `issuers` option is a function, returns a lookup that caches the function's results for as long as the
 * issuers' keys are cached. Otherwise, returns undefined.
 */
function resolvedIssuers(
  { resolveIssuer, issuerTimeoutMs: timeoutMs, keyTimes, allowInsecureHttp, clock }: Settings,
  trust: (issuer: IssuerSettings) => TrustedIssuer,
  log: Logger,
): ResolvedIssuers | undefined {
  if (resolveIssuer === undefined) return undefined
  return createResolvedIssuers({
    resolve: resolveIssuer,
    trust,
    timeoutMs,
    times: keyTimes,
    allowInsecureHttp,
    now: clock,
    onEvent: createResolutionReport(log, clock),
  })
}

function connectorFor({ issuerDispatcher: dispatcher, issuerTimeoutMs: timeoutMs, ca }: Settings): Connect {
  const trust: TlsSettings = ca === undefined ? {} : { ca }
  return ({ tls, ...own } = {}) =>
    connectToIssuer({ dispatcher, timeoutMs, ...own, tls: { ...trust, ...tls } })
}

function noteKey(revocations: Revocations, { outcome, validity }: Verification): void {
  const keyId = validity?.signedBy?.key.kid
  if (keyId !== undefined && !(outcome instanceof Refusal)) revocations.noteKey(outcome, keyId)
}
