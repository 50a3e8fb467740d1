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

/** Options for tokens that are bound to a client's key: DPoP (RFC 9449). */
export interface DpopOptions {
  /**
   * `allow`: bound tokens need a proof, but unbound tokens are accepted too. `require`: all tokens must be bound.
   * `off`: bound tokens are refused. A route can override the mode. Default `allow`.
   */
  mode?: DpopMode
  /** The accepted signature algorithms of proofs. Default: all supported asymmetric algorithms except ML-DSA. */
  algorithms?: readonly ProofAlgorithm[]
  /**
   * The maximum difference between the `iat` of a proof and the current time, in milliseconds. From 1000 to 600000;
   * default 60000.
   */
  maxProofAgeMs?: number
  /**
   * The public origin of this API, such as `https://api.example.com`, which is compared with the `htu` of proofs.
   * Default: protocol and host of the request, which behind a proxy are correct only with `trustProxy`.
   */
  origin?: string
  /** Whether proofs must contain a nonce of this server (RFC 9449 §9). Default false. */
  nonce?: boolean
  /**
   * With `nonce`: the secret from which nonces are derived, at least 32 characters. Use the same secret on all
   * replicas. Default: random for each process.
   */
  nonceSecret?: string
  /**
   * Where used proofs are stored. Default: in the memory of this process. With several replicas, use
   * `redisReplayStore(…)`.
   */
  replayStore?: ReplayStore
}

const shortestSecret = 32

const declaration = {
  mode: withDefault(oneOf(['off', 'allow', 'require']), 'allow'),
  algorithms: withDefault(algorithmsOption(proofAlgorithms), proofAlgorithms),
  maxProofAgeMs: withDefault(milliseconds({ min: 1_000, max: 600_000 }), 60_000),
  origin: optional(
    parser({
      expected: "an origin (only scheme, host and port), such as 'https://api.example.com'",
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
      expected: `a string of at least ${shortestSecret} characters, such as 32 random bytes encoded in base64`,
      fromText: true,
      read(value, { option, toError }) {
        if (typeof value === 'string' && value.length >= shortestSecret) return value
        // The value may be a secret that is too short, so the message does not contain it.
        throw toError(
          `option \`${option}\` is invalid; expected a string of at least ${shortestSecret} characters, such as 32 random bytes encoded in base64`,
        )
      },
    }),
  ),
  replayStore: optional(
    instance<ReplayStore>(
      ['add'],
      'an object with the method `add(id, ttlMs)`, such as redisReplayStore(redis)',
    ),
  ),
} satisfies Declares<DpopOptions>

type GivenDpop = Omit<DpopSettings, 'nonceSecret' | 'replayStore'> & {
  readonly nonce: boolean | undefined
  readonly nonceSecret: string | undefined
  readonly replayStore: ReplayStore | undefined
}

/** Parses the option `dpop`; `'require'` is short for `{ mode: 'require' }`. */
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
      'option `dpop.nonceSecret` has no effect without `dpop.nonce: true`; set `nonce` too, or remove `nonceSecret`',
    )
  return Object.freeze({
    ...rest,
    nonceSecret: nonceSecret ?? (nonce === true ? true : undefined),
    replayStore: rest.replayStore ?? createReplayMemory(now),
  })
}
