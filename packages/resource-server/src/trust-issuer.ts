import type { IssuerConnection } from 'oauth-issuer-connection'
import { writeLog } from './diagnostics.js'
import { InvalidOptionError } from './errors.js'
import type { Algorithm } from './keys/algorithms.js'
import { cleanEntry } from './keys/clean-jwk-set.js'
import { fetchKeysOf, keyImporter } from './keys/issuer-keys.js'
import { createKeySet } from './keys/key-set.js'
import type { PublicKey } from './keys/public-key.js'
import type { Logger } from './log.js'
import type { IssuerSettings } from './options/issuer-options.js'
import type { Settings } from './options/options.js'
import { reportDisputed, reportKeys } from './report-keys.js'
import type { LoadSecond } from './signature/second-implementation.js'
import type { ThreadPool } from './signature/thread-pool.js'
import { createSignatureVerifier } from './signature/verify-signature.js'
import type { TrustedIssuer } from './verify/candidate.js'

/** What all issuers share. */
export interface SharedByIssuers {
  readonly connection: IssuerConnection
  readonly threadPool: ThreadPool
  readonly loadSecond: LoadSecond
  readonly log: Logger
}

/** One issuer with its rules, its keys and how their signatures are verified. */
export function trustIssuer(
  issuer: IssuerSettings,
  settings: Settings,
  { connection, threadPool, loadSecond, log }: SharedByIssuers,
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
