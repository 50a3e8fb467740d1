import type { IssuerConnection } from 'oauth-issuer-connection'
import { writeLog } from './diagnostics.js'
import { InvalidOptionError } from './errors.js'
import type { Algorithm } from './keys/algorithms.js'
import { cleanEntry } from './keys/clean-jwk-set.js'
import { fetchKeysOf, keyImporter } from './keys/issuer-keys.js'
import { createKeySet, type KeySet } from './keys/key-set.js'
import type { Jwk, PublicKey } from './keys/public-key.js'
import { createStaticKeySet } from './keys/static-key-set.js'
import type { Logger } from './log.js'
import type { IssuerSettings } from './options/issuer-options.js'
import type { Settings } from './options/options.js'
import { reportDisputed, reportKeys } from './report-keys.js'
import type { LoadSecond } from './signature/second-implementation.js'
import type { ThreadPool } from './signature/thread-pool.js'
import { createSignatureVerifier } from './signature/verify-signature.js'
import type { TrustedIssuer } from './verify/candidate.js'

/** The objects that all issuers share. */
export interface SharedByIssuers {
  readonly connection: IssuerConnection
  readonly threadPool: ThreadPool
  readonly loadSecond: LoadSecond
  readonly log: Logger
}

/** Creates the key set and the signature verifier of an issuer. */
export function trustIssuer(
  issuer: IssuerSettings,
  settings: Settings,
  shared: SharedByIssuers,
): TrustedIssuer {
  const { rules, algorithms } = issuer
  const { threadPool, loadSecond, log } = shared
  const onIgnored: OnIgnored = (kid, reason) =>
    writeLog(() =>
      log.warn({ issuer: rules.issuer, kid, reason }, 'an unusable key of the issuer is ignored'),
    )
  const keys =
    issuer.keys === undefined
      ? fetchedKeys(issuer, settings, shared, onIgnored)
      : createStaticKeySet(importOptionKeys(issuer.keys, issuer, onIgnored))
  const onDisputed = ({ kid }: PublicKey, algorithm: Algorithm): void =>
    reportDisputed({ issuer: rules.issuer, kid, algorithm }, log)
  const verifySignature = createSignatureVerifier({ threadPool, loadSecond, onDisputed })
  return { rules, algorithms, keys, verifySignature }
}

/** Creates a key set that fetches its keys from the issuer. */
function fetchedKeys(
  { rules: { issuer }, jwksUri, metadataUrl, algorithms }: IssuerSettings,
  { allowInsecureHttp, keyTimes, clock: now }: Settings,
  { connection, log }: SharedByIssuers,
  onIgnored: OnIgnored,
): KeySet {
  const source = { issuer, jwksUri, metadataUrl, algorithms, allowInsecureHttp, now, onIgnored }
  return createKeySet(fetchKeysOf(source, connection), keyTimes, now, event => {
    // Requests that were aborted when the application closed are not reported, because the issuer is not at fault.
    if (!connection.isClosed()) reportKeys(event, issuer, log)
  })
}

type OnIgnored = (kid: string | undefined, reason: string) => void

/**
 * Imports the keys from the `keys` option.
 * @throws {InvalidOptionError} if none of the keys is usable
 */
function importOptionKeys(
  keys: readonly Jwk[],
  { algorithms, rules }: IssuerSettings,
  onIgnored: OnIgnored,
): readonly PublicKey[] {
  const reasons: string[] = []
  const importKeys = keyImporter(algorithms, (kid, reason) => {
    reasons.push(reason)
    onIgnored(kid, reason)
  })
  try {
    return importKeys(keys.map(cleanEntry))
  } catch {
    throw new InvalidOptionError(
      `option \`keys\` contains no key for ${rules.issuer} that can verify access tokens: ${reasons.join('; ')}`,
    )
  }
}
