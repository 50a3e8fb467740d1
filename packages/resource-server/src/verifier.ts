import type { FastifyBaseLogger } from 'fastify'
import { connectToIssuer, type IssuerConnection, type TlsSettings } from 'oauth-issuer-connection'
import { report, writeLog, type ResourceServerEvents } from './diagnostics.js'
import { InvalidOptionError } from './errors.js'
import type { IssuerSettings } from './options/issuer-options.js'
import type { Settings } from './options/options.js'
import type { Outcome } from './outcome.js'
import { compileCustomClaims, type CheckCustomClaims } from './claims/check-custom-claims.js'
import { createIntrospection, mostQuestions, type IntrospectToken } from './introspection/introspect-token.js'
import { cleanEntry } from './keys/clean-jwk-set.js'
import { fetchKeysOf, keyImporter } from './keys/issuer-keys.js'
import { createKeySet, type KeyEvent, type KeySetState } from './keys/key-set.js'
import type { Algorithm } from './keys/algorithms.js'
import type { PublicKey } from './keys/public-key.js'
import type { Credentials } from './extract-token.js'
import { andThen, type MaybePromise } from './later.js'
import { loadFastifyJwt, type LoadSecond } from './signature/second-implementation.js'
import { createThreadPool, type ThreadPool } from './signature/thread-pool.js'
import { createSignatureVerifier } from './signature/verify-signature.js'
import { createTokenCache } from './verify/token-cache.js'
import { createVerifyToken, type TrustedIssuer } from './verify/verify-token.js'

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
    trust(issuer, settings, { connection, threadPool, loadSecond, log }),
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

/** What all issuers share. */
interface Shared {
  readonly connection: IssuerConnection
  readonly threadPool: ThreadPool
  readonly loadSecond: LoadSecond
  readonly log: FastifyBaseLogger
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

function trust(
  issuer: IssuerSettings,
  settings: Settings,
  { connection, threadPool, loadSecond, log }: Shared,
): TrustedIssuer {
  const { rules, algorithms, jwksUri, metadataUrl } = issuer
  const onIgnored = (kid: string | undefined, reason: string): void =>
    writeLog(() => log.warn({ issuer: rules.issuer, kid, reason }, 'a key of the issuer is ignored'))
  const fetchKeys =
    issuer.keys === undefined
      ? fetchKeysOf(
          {
            issuer: rules.issuer,
            jwksUri,
            metadataUrl,
            algorithms,
            allowInsecureHttp: settings.allowInsecureHttp,
            now: settings.clock,
            onIgnored,
          },
          connection,
        )
      : staticKeys(issuer, onIgnored)
  const keys = createKeySet(fetchKeys, settings.keyTimes, settings.clock, event => {
    // What the end of the application interrupts is no failure of the issuer.
    if (!connection.isClosed()) reportKeys(event, rules.issuer, log)
  })
  const onDisputed = ({ kid }: PublicKey, algorithm: Algorithm): void =>
    reportDisputed({ issuer: rules.issuer, kid, algorithm }, log)
  const verifySignature = createSignatureVerifier({ threadPool, loadSecond, onDisputed })
  return { rules, algorithms, keys, verifySignature }
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

/** Keys that are options are read at once: a mistake in them stops the start. */
function staticKeys(
  { keys = [], algorithms, rules }: IssuerSettings,
  onIgnored: (kid: string | undefined, reason: string) => void,
): () => Promise<readonly PublicKey[]> {
  const reasons: string[] = []
  const importKeys = keyImporter(algorithms, (kid, reason) => {
    reasons.push(reason)
    onIgnored(kid, reason)
  })
  try {
    const imported = importKeys(keys.map(cleanEntry))
    return async () => imported
  } catch {
    throw new InvalidOptionError(
      `option \`keys\` has no key for ${rules.issuer} that can verify access tokens: ${reasons.join('; ')}`,
    )
  }
}

function reportKeys(event: KeyEvent, issuer: string, log: FastifyBaseLogger): void {
  if (event.type === 'fetched') {
    const { kids, withdrawn, durationMs } = event
    report('fastify-resource-server:keys', { issuer, kids, withdrawn, durationMs })
    if (withdrawn.length > 0)
      writeLog(() =>
        log.info(
          { issuer, withdrawn },
          'the issuer has withdrawn keys; tokens signed with them are refused from now on',
        ),
      )
    return
  }
  const { error, servingStale, retryAfterMs, durationMs } = event
  report('fastify-resource-server:keys-failed', {
    issuer,
    message: error.message,
    servingStale,
    retryAfterMs,
    durationMs,
  })
  writeLog(() =>
    log.warn(
      { issuer, reason: error.message, servingStale, retryAfterMs },
      "the issuer's keys cannot be fetched",
    ),
  )
}

function reportDisputed(
  disputed: ResourceServerEvents['fastify-resource-server:signature-disputed'],
  log: FastifyBaseLogger,
): void {
  report('fastify-resource-server:signature-disputed', disputed)
  writeLog(() =>
    log.error(
      disputed,
      'node:crypto accepts a signature that @fastify/jwt rejects; the token is refused, and so is every token of this key until both accept one',
    ),
  )
}
