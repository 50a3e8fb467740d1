import { inspect } from 'node:util'
import type { ReceivedAnswer, ResponseHeaders } from './answer.js'

/** Thrown if the contract is invalid, or if an operation is unknown or has no route. */
export class InvalidContractError extends TypeError {
  readonly code: string = 'API_CONTRACT_INVALID'

  /** @internal */
  constructor(where: string, value: unknown, expected: string) {
    const shown = inspect(value, { breakLength: Infinity }).slice(0, 200)
    super(`API contract: ${where} is ${shown}; expected ${expected}`)
  }
}

/** Thrown before a request is sent, if its input is invalid. */
export class InvalidCallError extends InvalidContractError {
  override readonly code: string = 'API_CONTRACT_INVALID_CALL'
}

/**
 * Thrown on the server, with status code 500, if a handler's response violates the contract, or if no plugin checks
 * tokens.
 */
export class BrokenContractError extends Error {
  readonly code: string = 'API_CONTRACT_BROKEN'
  readonly statusCode: number = 500
  /** For logs: the violated rules and the paths of the invalid values, without the values. */
  readonly problem: string

  /** @internal */
  constructor(operation: string, problem: string) {
    super('The response violates the API contract')
    this.problem = `${operation}: ${problem}`
  }
}

/** Thrown by the client, with status code 502, if the API's response violates the contract. */
export class UnexpectedAnswerError extends Error {
  readonly code: string = 'API_CONTRACT_UNEXPECTED_ANSWER'
  readonly statusCode: number = 502
  readonly operation: string
  readonly status: number
  /** The delay that the `Retry-After` header requests, in milliseconds from now. */
  readonly retryAfterMs: number | undefined
  /** The response headers. Not enumerable, so that logs omit them. */
  declare readonly responseHeaders: ResponseHeaders
  /** The first 1000 characters of the body. Not enumerable, so that logs omit them. */
  declare readonly body: string

  /** @internal */
  constructor(
    operation: string,
    { status, retryAfterMs, headers, body }: ReceivedAnswer<number, string>,
    problem: string,
  ) {
    super(`${operation}: the API responded with ${status}${problem}`)
    this.operation = operation
    this.status = status
    this.retryAfterMs = retryAfterMs
    Object.defineProperties(this, {
      responseHeaders: { value: headers },
      body: { value: body.slice(0, 1000) },
    })
  }
}
