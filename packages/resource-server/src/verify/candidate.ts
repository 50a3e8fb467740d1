import type { AccessToken } from '../access-token.js'
import type { ClaimRules } from '../claims/check-claims.js'
import type { ClaimCheckName } from '../claims/claim-checks.js'
import type { Refusal } from '../errors.js'
import type { Algorithm } from '../keys/algorithms.js'
import type { KeySet, Purpose } from '../keys/key-set.js'
import type { PublicKey } from '../keys/public-key.js'
import type { MaybePromise } from '../later.js'
import type { VerifySignature } from '../signature/verify-signature.js'
import type { DecodedToken } from './decode-token.js'

/** The rules and the keys of an issuer. */
export interface TrustedIssuer {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: KeySet
  readonly verifySignature: VerifySignature
}

/** A token during verification. Each step adds the data that later steps need. */
export interface Candidate {
  readonly raw: string
  readonly purpose: Purpose
  decoded: DecodedToken | undefined
  issuer: TrustedIssuer | undefined
  /** The time of the claim checks, in milliseconds since the epoch. */
  time: number
  key: PublicKey | undefined
  /** The introspection response for an opaque token. */
  introspected: AccessToken | undefined
}

export function candidateFor(raw: string, purpose: Purpose): Candidate {
  return {
    raw,
    purpose,
    decoded: undefined,
    issuer: undefined,
    time: NaN,
    key: undefined,
    introspected: undefined,
  }
}

/** A decoded token. */
export type Decoded = Candidate & { readonly decoded: DecodedToken }
/** A decoded token with a trusted issuer. */
export type Attributed = Decoded & { readonly issuer: TrustedIssuer }
/** A token whose key was found. */
export type Keyed = Attributed & { readonly key: PublicKey }

/** The type of the candidate for each value of `needs`. */
export interface Stages {
  readonly raw: Candidate
  readonly decoded: Decoded
  readonly issuer: Attributed
  readonly key: Keyed
}

export type StepName =
  | ClaimCheckName
  | 'format'
  | 'algorithm'
  | 'trusted issuer'
  | 'allowed algorithm'
  | 'key'
  | 'signature'
  | 'claims schema'
  | 'introspection'

/** The values that a step checks, by name. */
export type Shown = Readonly<Record<string, unknown>>

/** A step of verification. Verification stops at the first refusal, while an explanation continues. */
export interface StepOf<Need extends keyof Stages> {
  readonly name: StepName
  /** The options that control the step. */
  readonly option: string
  /** The result of an earlier step that this step requires. */
  readonly needs: Need
  readonly run: (candidate: Stages[Need]) => MaybePromise<Refusal | undefined>
  readonly shows: (candidate: Stages[Need]) => Shown
}

/** A step without the type of its candidate. Call it only if the candidate has what the step needs. */
export interface VerificationStep extends Omit<StepOf<keyof Stages>, 'run' | 'shows'> {
  readonly run: (candidate: Candidate) => MaybePromise<Refusal | undefined>
  readonly shows: (candidate: Candidate) => Shown
}

export function step<Need extends keyof Stages>(parts: StepOf<Need>): VerificationStep {
  // The cast: callers check `needs` or run the earlier steps first.
  return parts as unknown as VerificationStep
}
