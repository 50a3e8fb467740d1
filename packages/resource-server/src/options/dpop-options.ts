import {
  boolean,
  instance,
  milliseconds,
  object,
  oneOf,
  optional,
  parser,
  shorthand,
  withDefault,
  type Declares,
  type Parser,
} from 'declared-options'
import type { DpopMode } from '../authorize/requirement.js'
import type { DpopSettings } from '../binding/check-binding.js'
import { createReplayMemory, type ReplayStore } from '../binding/replay-store.js'
import { InvalidOptionError } from '../errors.js'
import { proofAlgorithms, type ProofAlgorithm } from '../keys/algorithms.js'
import { algorithmsOption } from './issuer-options.js'

/** How tokens that are bound to a client's key are taken: DPoP (RFC 9449). */
export interface DpopOptions {
  /**
   * `allow`: tokens that are bound need a proof, others do without. `require`: every token has to be bound and to come
   * with a proof. `off`: tokens that are bound are refused. A route may say otherwise. Default `allow`.
   */
  mode?: DpopMode
  /** Signature algorithms of proofs. Default: every asymmetric one that the plugin knows, without ML-DSA. */
  algorithms?: readonly ProofAlgorithm[]
  /** How far a proof's `iat` may be from now, in milliseconds: before and after. From 1000 to 600000; default 60000. */
  maxProofAgeMs?: number
  /**
   * The origin under which clients know this API, such as `https://api.example.com`, for the proof's `htu`. Default: what
   * Fastify says of each request, which behind a proxy is right with `trustProxy` only.
   */
  origin?: string
  /** `true`: proofs have to hold a nonce of this server (RFC 9449 §9). Default false. */
  nonce?: boolean
  /** With `nonce`: what nonces are made from, 32 characters or more, the same for all replicas. Default: each process its own. */
  nonceSecret?: string
  /** Where used proofs are remembered. Default: in this process; give `redisReplayStore(…)` where there are replicas. */
  replayStore?: ReplayStore
}

const shortestSecret = 32

const declaration = {
  mode: withDefault(oneOf(['off', 'allow', 'require']), 'allow'),
  algorithms: withDefault(algorithmsOption(proofAlgorithms), proofAlgorithms),
  maxProofAgeMs: withDefault(milliseconds({ min: 1_000, max: 600_000 }), 60_000),
  origin: optional(
    parser({
      expected: "scheme, host and port only, such as 'https://api.example.com'",
      fromText: true,
      read: value =>
        typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value
          ? value
          : undefined,
    }),
  ),
  nonce: optional(boolean()),
  nonceSecret: optional(
    parser({
      expected: `text of ${shortestSecret} characters or more, such as 32 random bytes in base64`,
      fromText: true,
      read(value, { option, toError }) {
        if (typeof value === 'string' && value.length >= shortestSecret) return value
        // It may be a secret that is too short, so it is not shown.
        throw toError(
          `option \`${option}\` is not text of ${shortestSecret} characters or more, such as 32 random bytes in base64`,
        )
      },
    }),
  ),
  replayStore: optional(
    instance<ReplayStore>(['add'], 'an object with `add(id, ttlMs)`, such as redisReplayStore(redis)'),
  ),
} satisfies Declares<DpopOptions>

type GivenDpop = Omit<DpopSettings, 'nonceSecret' | 'replayStore'> & {
  readonly nonce: boolean | undefined
  readonly nonceSecret: string | undefined
  readonly replayStore: ReplayStore | undefined
}

/** `'require'` stands for `{ mode: 'require' }`. */
export const dpopOption: Parser<GivenDpop> = {
  ...shorthand(
    object(declaration, "'off', 'allow', 'require', or an object such as { mode: 'require', nonce: true }"),
    value => (typeof value === 'string' ? { mode: value } : value),
  ),
  fromText: true,
}

export function dpopSettings(options: GivenDpop | undefined, now: () => number): DpopSettings | undefined {
  if (options === undefined) return undefined
  const { nonce, nonceSecret, ...rest } = options
  if (nonce !== true && nonceSecret !== undefined)
    throw new InvalidOptionError(
      'option `dpop.nonceSecret` does nothing without `dpop.nonce: true`; give that too, or leave the secret out',
    )
  return Object.freeze({
    ...rest,
    nonceSecret: nonceSecret ?? (nonce === true ? true : undefined),
    replayStore: rest.replayStore ?? createReplayMemory(now),
  })
}
