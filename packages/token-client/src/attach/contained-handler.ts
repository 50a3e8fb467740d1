import { asError } from 'oauth-issuer-connection'
import type { Dispatcher } from 'undici'
import type { HeldController } from './held-controller.js'

export type Handler = Required<
  Pick<
    Dispatcher.DispatchHandler,
    | 'onRequestStart'
    | 'onRequestUpgrade'
    | 'onResponseStart'
    | 'onResponseData'
    | 'onResponseEnd'
    | 'onResponseError'
  >
>
export type Arguments<Event extends keyof Handler> = Parameters<Handler[Event]>

/**
 * Calls the caller's handler where undici is not there to catch what it throws: after the wait for a token, and after a
 * 401. As in undici, a callback that throws ends the call with exactly one `onResponseError`. The handler keeps one
 * controller across all requests that are sent for the call.
 */
export class ContainedHandler implements Handler {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #held: HeldController
  /** The handler was told of the end, or of an error. */
  #over = false

  constructor(handler: Dispatcher.DispatchHandler, held: HeldController) {
    this.#handler = handler
    this.#held = held
  }

  /** Tells the handler that the call begins; no connection has been chosen yet. */
  start(): void {
    this.#held.onAbort(reason => this.fail(reason))
    this.#call(() => this.#handler.onRequestStart?.(this.#held, {}))
  }

  /** Ends the call with an error, unless it has ended. */
  fail(thrown: unknown): void {
    if (this.#over) return
    this.#over = true
    const error = asError(thrown)
    try {
      this.#handler.onResponseError?.(this.#held, error)
    } catch {
      // There is no callback left that could be told.
    }
    this.#held.abort(error)
  }

  /** The handler was started before. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#held.connect(controller)
  }

  onRequestUpgrade(...[, statusCode, headers, socket]: Arguments<'onRequestUpgrade'>): void {
    this.#call(() => this.#handler.onRequestUpgrade?.(this.#held, statusCode, headers, socket))
  }

  onResponseStart(...[, statusCode, headers, statusMessage]: Arguments<'onResponseStart'>): void {
    this.#call(() => this.#handler.onResponseStart?.(this.#held, statusCode, headers, statusMessage))
  }

  onResponseData(...[, chunk]: Arguments<'onResponseData'>): void {
    this.#call(() => this.#handler.onResponseData?.(this.#held, chunk))
  }

  onResponseEnd(...[, trailers]: Arguments<'onResponseEnd'>): void {
    this.#call(() => {
      this.#handler.onResponseEnd?.(this.#held, trailers)
      this.#over = true
    })
  }

  onResponseError(...[, error]: Arguments<'onResponseError'>): void {
    this.fail(error)
  }

  #call(callback: () => void): void {
    if (this.#over) return
    try {
      callback()
    } catch (error) {
      this.fail(error)
    }
  }
}
