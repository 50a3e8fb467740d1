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

/** One configured issuer: its rules and its keys. */
export interface TrustedIssuer {
  readonly rules: ClaimRules
  readonly algorithms: readonly Algorithm[]
  readonly keys: KeySet
  readonly verifySignature: VerifySignature
}

/** A token on its way through verification: steps add what later ones need. */
export interface Candidate {
  readonly raw: string
  readonly purpose: Purpose
  decoded: DecodedToken | undefined
  issuer: TrustedIssuer | undefined
  /** When the claims are checked, in milliseconds since the epoch. */
  time: number
  key: PublicKey | undefined
  /** What the issuer said about an opaque token. */
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

/** A candidate that was decoded. */
export type Decoded = Candidate & { readonly decoded: DecodedToken }
/** A candidate whose issuer is trusted. */
export type Attributed = Decoded & { readonly issuer: TrustedIssuer }
/** A candidate whose key was found. */
export type Keyed = Attributed & { readonly key: PublicKey }

/** What has to be known of a candidate for a step → its type. */
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

/** The values that a step looks at, by what they are called. */
export type Shown = Readonly<Record<string, unknown>>

/** One step of verification. Verification stops at the first one that refuses; an explanation goes on. */
export interface StepOf<Need extends keyof Stages> {
  readonly name: StepName
  /** The options that control it. */
  readonly option: string
  /** What an earlier step has to have found. */
  readonly needs: Need
  readonly run: (candidate: Stages[Need]) => MaybePromise<Refusal | undefined>
  readonly shows: (candidate: Stages[Need]) => Shown
}

/** A step that is called only with a candidate of which is known what it needs. */
export interface VerificationStep extends Omit<StepOf<keyof Stages>, 'run' | 'shows'> {
  readonly run: (candidate: Candidate) => MaybePromise<Refusal | undefined>
  readonly shows: (candidate: Candidate) => Shown
}

export function step<Need extends keyof Stages>(parts: StepOf<Need>): VerificationStep {
  // The caller has looked at `needs`, or has run the steps before it.
  return parts as unknown as VerificationStep
}
