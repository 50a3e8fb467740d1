import type { CheckResult } from 'fastify-resource-server'

/** Caller or called service; each is a column of the diagram, in this order. */
export const lanes = ['browser', 'storefront', 'payments', 'authorizationServer', 'receipts'] as const
export type Lane = (typeof lanes)[number]

/** One request and, once it has arrived, its response. It contains no secrets and no token signatures. */
export interface Exchange {
  readonly id: number
  readonly from: Lane
  readonly to: Lane
  readonly method: string
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** The browser visit that caused the request; it has an order after the purchase. */
  readonly visit: Visit
  headers: readonly (readonly [name: string, value: string])[]
  body?: string
  token?: SentToken
  answer?: Answer
  /** Why there is no response, such as `ECONNREFUSED`. */
  failure?: string
  /** The verification steps of the called service. */
  checks?: readonly Check[]
  /** The response of a token endpoint. */
  tokenAnswer?: TokenAnswer
}

/** One visit of a browser; `order` is set once the payment service has answered. */
export interface Visit {
  order?: string
}

export interface Answer {
  readonly status: number
  readonly durationMs: number
  /** `WWW-Authenticate` (RFC 9110 §11.6.1). */
  readonly challenge?: string
}

/** The response of a token endpoint (RFC 6749 §5), without the token's signature. */
export interface TokenAnswer {
  /** The JSON, with a shortened token. */
  readonly text: string
  /** The issued token. */
  readonly token?: DecodedToken
  /** The error, such as `invalid_client` (RFC 6749 §5.2). */
  readonly error?: string
}

/** A token without its signature. */
export interface DecodedToken {
  /** A part of the token's SHA-256, so equal tokens have equal ids. */
  readonly id: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** A token sent with a request. */
export interface SentToken extends DecodedToken {
  /** Whether the client had the token in its cache; undefined for callers outside the demo. */
  readonly cached?: boolean
}

/** One verification step, its result, and the option that configures it. */
export interface Check {
  readonly name: string
  /** The question that the step answers, for beginners. */
  readonly question: string
  readonly outcome: CheckResult
  readonly finding: string
  /** The end of the sentence “refuses the token: …” if the step fails. */
  readonly refusal: string
  readonly option: string
}
