import type { CheckResult } from 'fastify-resource-server'

/** Who talks: the columns of the picture, from left to right. */
export const lanes = ['browser', 'storefront', 'payments', 'authorizationServer', 'receipts'] as const
export type Lane = (typeof lanes)[number]

/** One request and its answer, as far as it has come. No secret and no signature of a token is in it. */
export interface Exchange {
  readonly id: number
  readonly from: Lane
  readonly to: Lane
  readonly method: string
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** What belongs to one visit of a browser, and with it to an order once there is one. */
  readonly visit: Visit
  headers: readonly (readonly [name: string, value: string])[]
  body?: string
  token?: SentToken
  answer?: Answer
  /** Why there is no answer, such as `ECONNREFUSED`. */
  failure?: string
  /** What the called service found when it looked at the token. */
  checks?: readonly Check[]
  /** What a token endpoint answered. */
  tokenAnswer?: TokenAnswer
}

/** One visit of a browser; `order` is known once the payment service has answered. */
export interface Visit {
  order?: string
}

export interface Answer {
  readonly status: number
  readonly durationMs: number
  /** `WWW-Authenticate` (RFC 9110 §11.6.1). */
  readonly challenge?: string
}

/** The answer of a token endpoint (RFC 6749 §5), without the token's signature. */
export interface TokenAnswer {
  /** The JSON, with the token cut off. */
  readonly text: string
  /** The token that was issued. */
  readonly token?: DecodedToken
  /** Why none was issued, such as `invalid_client` (RFC 6749 §5.2). */
  readonly error?: string
}

/** A token without its signature. */
export interface DecodedToken {
  /** The same for the same token: a part of its SHA-256. */
  readonly id: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** A token that was sent with a request. */
export interface SentToken extends DecodedToken {
  /** Whether the client already had it. Unknown for a caller that is not one of ours. */
  readonly cached?: boolean
}

/** One step of verification, what it found, and the option that configures it. */
export interface Check {
  readonly name: string
  /** What is asked, in plain words. */
  readonly question: string
  readonly outcome: CheckResult
  readonly finding: string
  /** What a failure means, to follow “refuses the token:”. */
  readonly refusal: string
  readonly option: string
}
