import { inspect } from 'node:util'
import type { ReceivedAnswer, ResponseHeaders } from './answer.js'

/** Start-up: the contract is invalid, or lacks an operation. */
export class InvalidContractError extends TypeError {
  readonly code: string = 'API_CONTRACT_INVALID'

  /** @internal */
  constructor(where: string, value: unknown, expected: string) {
    const shown = inspect(value, { breakLength: Infinity }).slice(0, 200)
    super(`API contract: ${where} is ${shown}; expected ${expected}`)
  }
}

/** The input of a call is invalid; nothing was sent. */
export class InvalidCallError extends InvalidContractError {
  override readonly code: string = 'API_CONTRACT_INVALID_CALL'
}

/** 500: a handler's answer is not in the contract, or no plugin checks tokens in the scope of the route. */
export class BrokenContractError extends Error {
  readonly code: string = 'API_CONTRACT_BROKEN'
  readonly statusCode: number = 500
  /** For the log: paths and rules, no values. */
  readonly problem: string

  /** @internal */
  constructor(operation: string, problem: string) {
    super('The server does not follow its API contract')
    this.problem = `${operation}: ${problem}`
  }
}

/** 502: the API's answer is not in the contract: its status, or its body. */
export class UnexpectedAnswerError extends Error {
  readonly code: string = 'API_CONTRACT_UNEXPECTED_ANSWER'
  readonly statusCode: number = 502
  readonly operation: string
  readonly status: number
  /** `Retry-After` in milliseconds from now. */
  readonly retryAfterMs: number | undefined
  /** Not enumerable, so not logged. */
  declare readonly responseHeaders: ResponseHeaders
  /** The first 1000 characters. Not enumerable, so not logged. */
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
