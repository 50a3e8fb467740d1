import type { BodyOf, Operation } from './operation.js'

export interface Answer<Status extends number = number, Body = unknown> {
  readonly status: Status
  readonly body: Body
  readonly headers?: Readonly<Record<string, string>>
}

/** The response that `call` returns. The type of `body` depends on `status`. */
export interface ReceivedAnswer<Status extends number = number, Body = unknown> {
  readonly status: Status
  readonly body: Body
  readonly headers: ResponseHeaders
  /** The delay that the `Retry-After` header requests, in milliseconds from now (RFC 9110 §10.2.3). */
  readonly retryAfterMs: number | undefined
}

/** Response headers with lower-case names. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

export type AnswerTo<Op extends Operation> = {
  [Status in keyof Op['responses'] & number]: Answer<Status, BodyOf<Op['responses'][Status]>>
}[keyof Op['responses'] & number]

export type ReceivedFrom<Op extends Operation> = {
  [Status in keyof Op['responses'] & number]: ReceivedAnswer<Status, BodyOf<Op['responses'][Status]>>
}[keyof Op['responses'] & number]

// A response in the format that undici's `request` returns.
export interface Received {
  readonly statusCode: number
  readonly headers: ResponseHeaders
  readonly body: AsyncIterable<Uint8Array>
}
