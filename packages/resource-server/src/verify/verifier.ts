import type { FastifyBaseLogger } from 'fastify'
import { report } from '../diagnostics.js'
import { InvalidOptionError } from '../errors.js'
import type { IssuerSettings } from '../options/issuer-options.js'
import type { Settings } from '../options/options.js'
import type { Outcome } from '../outcome.js'
import { compileCustomClaims, type CheckCustomClaims } from './check-custom-claims.js'
import { connectToIssuer, type IssuerConnection } from './issuer-connection.js'
import { fetchKeysOf, keyImporter } from './issuer-keys.js'
import { createIntrospection, type IntrospectToken } from './introspect-token.js'
import { createKeySet, type KeyEvent, type KeySetState } from './key-set.js'
import type { PublicKey } from './public-key.js'
import { createThreadPool } from './thread-pool.js'
import { createTokenCache } from './token-cache.js'
import { createVerifyToken, type TrustedIssuer, type VerifyToken } from './verify-token.js'

/** Everything that verification keeps: keys, connections, verified tokens. */
export interface Verifier {
  readonly verify: VerifyToken
  /** What the token of an `Authorization` header came to before, where that still holds. */
  readonly recall: (header: string) => Outcome | undefined
  /** Fetches the keys of every issuer. @throws the first failure */
  loadKeys(): Promise<void>
  close(): Promise<void>
  /** Verified tokens at hand, and each issuer's keys. */
  state(): {
    readonly cachedTokens: number
    readonly issuers: readonly ({ readonly issuer: string } & KeySetState)[]
  }
}

export async function createVerifier(settings: Settings, log: FastifyBaseLogger): Promise<Verifier> {
  const connection = connectToIssuer(settings.issuerDispatcher)
  const issuers = settings.issuers.map(issuer => trust(issuer, settings, connection, log))
  const checkCustomClaims = await compileCustomClaims(settings.claims)
  const cache = createTokenCache(settings.maxCachedTokens, settings.clock)
  return {
    verify: createVerifyToken(issuers, {
      cache,
      threadPool: createThreadPool(settings.verifyInThreadPool),
      checkCustomClaims,
      introspect: introspectionOf(settings, connection, checkCustomClaims),
      now: settings.clock,
    }),
    recall: header => cache.getByHeader(header),
    async loadKeys() {
      await Promise.all(issuers.map(({ keys }) => keys.load()))
    },
    close: () => connection.close(),
    state: () => ({
      cachedTokens: cache.size,
      issuers: issuers.map(({ rules: { issuer }, keys }) => {
        const { kids, fetchedAt, failures } = keys.state()
        return { issuer, kids, fetchedAt, failures }
      }),
    }),
  }
}

function trust(
  issuer: IssuerSettings,
  settings: Settings,
  connection: IssuerConnection,
  log: FastifyBaseLogger,
): TrustedIssuer {
  const { rules, algorithms, jwksUri, metadataUrl } = issuer
  const onIgnored = (kid: string | undefined, reason: string): void =>
    log.warn({ issuer: rules.issuer, kid, reason }, 'a key of the issuer is ignored')
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
    if (!connection.isClosed()) tell(event, rules.issuer, log)
  })
  return { rules, algorithms, keys }
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
    const imported = importKeys(keys)
    return async () => imported
  } catch {
    throw new InvalidOptionError(
      `option \`keys\` has no key for ${rules.issuer} that can verify access tokens: ${reasons.join('; ')}`,
    )
  }
}

function tell(event: KeyEvent, issuer: string, log: FastifyBaseLogger): void {
  if (event.type === 'fetched') {
    const { kids, withdrawn, durationMs } = event
    report('fastify-resource-server:keys', { issuer, kids, withdrawn, durationMs })
    if (withdrawn.length > 0)
      log.info(
        { issuer, withdrawn },
        'the issuer has withdrawn keys; tokens signed with them are refused from now on',
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
  log.warn(
    { issuer, reason: error.message, servingStale, retryAfterMs },
    "the issuer's keys cannot be fetched",
  )
}
