import type { ReceivedAnswer, ResponseHeaders } from './answer.js'

/** Start-up: the contract is wrong, or does not have an operation. */
export class InvalidContractError extends TypeError {
  readonly code: string = 'API_CONTRACT_INVALID'

  /** @internal */
  constructor(where: string, value: unknown, expected: string) {
    // Its declared type is wrong: there is no JSON for a function.
    const shown = JSON.stringify(value) as string | undefined
    super(`API contract: ${where} is ${shown?.slice(0, 200)}; expected ${expected}`)
  }
}

/** A call's input cannot be sent; nothing was sent. */
export class InvalidCallError extends InvalidContractError {
  override readonly code: string = 'API_CONTRACT_INVALID_CALL'
}

/** 500: a handler's answer is not in the contract, or nothing checks tokens in the route's scope. */
export class BrokenContractError extends Error {
  readonly code: string = 'API_CONTRACT_BROKEN'
  readonly statusCode: number = 500
  /** For the log: paths and rules, no values. */
  readonly problem: string

  /** @internal */
  constructor(operation: string, problem: string) {
    super('The server does not do what its API contract says')
    this.problem = `${operation}: ${problem}`
  }
}

/** 502: the API answers with a status that is not in the contract. */
export class UnexpectedStatusError extends Error {
  readonly code: string = 'API_CONTRACT_UNEXPECTED_STATUS'
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
    expected: string,
    { status, retryAfterMs, headers, body }: ReceivedAnswer<number, string>,
  ) {
    super(`${operation}: the API answers ${status}; expected ${expected}`)
    this.operation = operation
    this.status = status
    this.retryAfterMs = retryAfterMs
    Object.defineProperties(this, {
      responseHeaders: { value: headers },
      body: { value: body.slice(0, 1000) },
    })
  }
}

/** 502: the API answers with a body that does not match the contract. */
export class UnexpectedBodyError extends Error {
  readonly code: string = 'API_CONTRACT_UNEXPECTED_BODY'
  readonly statusCode: number = 502
  readonly operation: string
  readonly status: number

  /** @internal */
  constructor(operation: string, status: number, problem: string) {
    super(`${operation}: the body of the API's ${status} answer does not match the contract: ${problem}`)
    this.operation = operation
    this.status = status
  }
}
