import type { DpopMode } from '../authorize/requirement.js'
import type { DpopSettings } from '../binding/check-binding.js'
import { createReplayMemory, type ReplayStore } from '../binding/replay-store.js'
import { InvalidOptionError } from '../errors.js'
import { supportedAlgorithms, type Algorithm } from '../keys/algorithms.js'
import { boolean, isObject, milliseconds, refuseUnknown, strings, wrong, type Given } from './read-option.js'

/** How tokens that are bound to a client's key are taken: DPoP (RFC 9449). */
export interface DpopOptions {
  /**
   * `allow`: tokens that are bound need a proof, others do without. `require`: every token has to be bound and to come
   * with a proof. `off`: tokens that are bound are refused. A route may say otherwise. Default `allow`.
   */
  mode?: DpopMode
  /** Signature algorithms of proofs. Default: every asymmetric one that the plugin knows. */
  algorithms?: readonly Algorithm[]
  /** How far a proof's `iat` may be from now, in milliseconds: before and after. Default 60000. */
  maxProofAgeMs?: number
  /**
   * The origin under which clients know this API, such as `https://api.example.com`, for the proof's `htu`. Default: what
   * Fastify says of each request, which behind a proxy is right with `trustProxy` only.
   */
  origin?: string
  /** `true`: proofs have to hold a nonce of this server (RFC 9449 §9). Default false. */
  nonce?: boolean
  /** What nonces are made from, 32 characters or more, the same for all replicas. Default: each process its own. */
  nonceSecret?: string
  /** Where used proofs are remembered. Default: in this process; give `redisReplayStore(…)` where there are replicas. */
  replayStore?: ReplayStore
}

const known = ['mode', 'algorithms', 'maxProofAgeMs', 'origin', 'nonce', 'nonceSecret', 'replayStore']
const shortestSecret = 32

/** @throws {InvalidOptionError} */
export function parseDpop({ dpop: given }: Given, now: () => number): DpopSettings | undefined {
  if (given === undefined) return undefined
  const options = typeof given === 'string' ? { mode: given } : given
  if (!isObject(options))
    throw wrong(
      'dpop',
      given,
      "'off', 'allow', 'require', or an object such as { mode: 'require', nonce: true }",
    )
  refuseUnknown(options, known, 'dpop.')
  const { mode = 'allow' } = options
  if (mode !== 'off' && mode !== 'allow' && mode !== 'require')
    throw wrong(typeof given === 'string' ? 'dpop' : 'dpop.mode', mode, "'off', 'allow' or 'require'")
  const maxProofAgeMs = milliseconds(options, 'maxProofAgeMs', 60_000, 'dpop.')
  if (!Number.isFinite(maxProofAgeMs) || maxProofAgeMs === 0)
    throw wrong('dpop.maxProofAgeMs', maxProofAgeMs, 'a finite time above 0: used proofs are kept that long')
  return Object.freeze({
    mode,
    algorithms: parseAlgorithms(options),
    maxProofAgeMs,
    origin: parseOrigin(options),
    nonceSecret: parseNonceSecret(options),
    replayStore: parseReplayStore(options) ?? createReplayMemory(now),
  })
}

function parseAlgorithms(options: Given): readonly Algorithm[] {
  const list = strings(options, 'algorithms', 'dpop.') ?? supportedAlgorithms
  for (const algorithm of list)
    if (!supportedAlgorithms.includes(algorithm as Algorithm))
      throw wrong(
        'dpop.algorithms',
        algorithm,
        `only asymmetric algorithms: ${supportedAlgorithms.join(', ')}`,
      )
  return list as readonly Algorithm[]
}

function parseOrigin({ origin }: Given): string | undefined {
  if (origin === undefined) return undefined
  if (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin)
    throw wrong('dpop.origin', origin, "scheme, host and port only, such as 'https://api.example.com'")
  return origin
}

function parseNonceSecret(options: Given): string | true | undefined {
  const { nonceSecret } = options
  if (nonceSecret === undefined) return boolean(options, 'nonce', false, 'dpop.') ? true : undefined
  if (typeof nonceSecret !== 'string' || nonceSecret.length < shortestSecret)
    throw new InvalidOptionError(
      `option \`dpop.nonceSecret\` wants text of ${shortestSecret} characters or more, such as 32 random bytes in base64`,
    )
  if (!boolean(options, 'nonce', true, 'dpop.'))
    throw new InvalidOptionError('option `dpop.nonceSecret` does nothing while `dpop.nonce` is false')
  return nonceSecret
}

function parseReplayStore({ replayStore }: Given): ReplayStore | undefined {
  if (replayStore === undefined) return undefined
  const { add } = (replayStore ?? {}) as { add?: unknown }
  if (typeof add !== 'function')
    throw new InvalidOptionError(
      'option `dpop.replayStore` wants an object with `add(id, ttlMs)`, such as redisReplayStore(redis)',
    )
  return replayStore as ReplayStore
}
