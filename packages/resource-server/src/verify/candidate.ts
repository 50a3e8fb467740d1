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

/** A trusted issuer, its keys, and the rules that its tokens must satisfy. */
export interface TrustedIssuer {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: KeySet
  readonly verifySignature: VerifySignature
}

/** A token that is being verified. Each verification step adds the data that later steps need. */
export interface Candidate {
  readonly raw: string
  readonly purpose: Purpose
  decoded: DecodedToken | undefined
  issuer: TrustedIssuer | undefined
  /** The time at which the claims are checked, in milliseconds since the epoch. */
  time: number
  key: PublicKey | undefined
  /** The result of introspecting an opaque token. */
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

/** A token that has been decoded. */
export type Decoded = Candidate & { readonly decoded: DecodedToken }
/** A decoded token with a trusted issuer. */
export type Attributed = Decoded & { readonly issuer: TrustedIssuer }
/** A decoded token whose issuer and key have been found. */
export type Keyed = Attributed & { readonly key: PublicKey }

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

/** The values that a verification step checks, by name. */
export type Shown = Readonly<Record<string, unknown>>

/** A verification step. `verify` stops at the first step that refuses the token, while `explain` runs all steps. */
export interface StepOf<Need extends keyof Stages> {
  readonly name: StepName
  /** The names of the options that control the step. */
  readonly option: string
  /** The data that an earlier step is required to provide. */
  readonly needs: Need
  readonly run: (candidate: Stages[Need]) => MaybePromise<Refusal | undefined>
  readonly shows: (candidate: Stages[Need]) => Shown
}

/**
 * A verification step whose type accepts any candidate. Run the step only if the candidate has the data named in the
 * step's `needs`.
 */
export interface VerificationStep extends Omit<StepOf<keyof Stages>, 'run' | 'shows'> {
  readonly run: (candidate: Candidate) => MaybePromise<Refusal | undefined>
  readonly shows: (candidate: Candidate) => Shown
}

export function step<Need extends keyof Stages>(parts: StepOf<Need>): VerificationStep {
  return parts as unknown as VerificationStep
}
