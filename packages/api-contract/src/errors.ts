import type { ReceivedAnswer, ResponseHeaders } from './answer.js'

/** Start-up: the contract is wrong, or does not have an operation. */
export class InvalidContractError extends TypeError {
  readonly code: string = 'API_CONTRACT_INVALID'
}

/** A call's input cannot be sent; nothing was sent. */
export class InvalidCallError extends TypeError {
  readonly code: string = 'API_CONTRACT_INVALID_CALL'
}

/** 500: nothing checks tokens in the route's scope. */
export class UnprotectedError extends Error {
  readonly code: string = 'API_CONTRACT_UNPROTECTED'
  readonly statusCode: number = 500
  /** For the log. */
  readonly problem: string

  constructor(operation: string) {
    super('This operation is not available')
    this.problem = `${operation} needs a token, but request.auth is unset: register fastify-resource-server in this scope. If a gateway checks tokens: app.decorateRequest('auth', null)`
  }
}

/** 500: a handler's answer does not match the contract. */
export class InvalidAnswerError extends Error {
  readonly code: string = 'API_CONTRACT_INVALID_ANSWER'
  readonly statusCode: number = 500
  /** For the log: paths and rules, no values. */
  readonly problem: string

  constructor(operation: string, problem: string) {
    super('The answer does not match the API contract')
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

  constructor(operation: string, status: number, problem: string) {
    super(`${operation}: the body of the API's ${status} answer does not match the contract: ${problem}`)
    this.operation = operation
    this.status = status
  }
}
