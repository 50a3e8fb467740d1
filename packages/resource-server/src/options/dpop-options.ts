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

/** Options for DPoP tokens, which are bound to a client's key (RFC 9449). */
export interface DpopOptions {
  /**
   * Which tokens are accepted. With `allow`, DPoP-bound tokens need a proof, and unbound tokens are accepted too.
   * With `require`, every token must be DPoP-bound. With `off`, DPoP-bound tokens are refused. A route can override
   * the mode. Default `allow`.
   */
  mode?: DpopMode
  /**
   * The signature algorithms that are accepted for DPoP proofs. Default: all supported asymmetric algorithms except
   * ML-DSA.
   */
  algorithms?: readonly ProofAlgorithm[]
  /**
   * The maximum difference between the `iat` of a DPoP proof and the current time, in milliseconds. Minimum 1000;
   * maximum 600000; default 60000.
   */
  maxProofAgeMs?: number
  /**
   * The public origin of this API, such as `https://api.example.com`. It is compared with the `htu` claim of DPoP
   * proofs. Default: the protocol and host of the request. Behind a proxy, this default is correct only if Fastify's
   * `trustProxy` is set.
   */
  origin?: string
  /** Whether DPoP proofs must contain a nonce from this server (RFC 9449 §9). Default false. */
  nonce?: boolean
  /**
   * The secret from which nonces are derived. Requires `nonce: true`. Use the same secret, of at least 32 characters,
   * on all replicas. Default: each process uses a random secret.
   */
  nonceSecret?: string
  /**
   * The store that remembers used DPoP proofs. Default: the memory of this process. With several replicas, use a shared
   * store such as `redisReplayStore(…)`.
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
        // The value may be a secret that is too short, so the error message must not contain the value.
        throw toError(
          `option \`${option}\` is invalid; expected a string of at least ${shortestSecret} characters, such as 32 random bytes encoded in base64`,
        )
      },
    }),
  ),
  replayStore: optional(
    instance<ReplayStore>(
      ['add'],
      'an object with the method add(id, ttlMs), such as the result of redisReplayStore(redis)',
    ),
  ),
} satisfies Declares<DpopOptions>

type GivenDpop = Omit<DpopSettings, 'nonceSecret' | 'replayStore'> & {
  readonly nonce: boolean | undefined
  readonly nonceSecret: string | undefined
  readonly replayStore: ReplayStore | undefined
}

/** Parses the `dpop` option. A string such as `'require'` is short for `{ mode: 'require' }`. */
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
