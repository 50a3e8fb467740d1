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
 * Wraps the caller's handler. The wrapper catches the handler's exceptions after the wait for a token and after a 401,
 * because undici does not catch them there. As in undici, `onResponseError` is called exactly once after an exception,
 * and the call ends. The handler receives the same controller even if the request is sent again.
 */
export class ContainedHandler implements Handler {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #held: HeldController
  /** True once the handler has received the end of the response or an error. */
  #over = false

  constructor(handler: Dispatcher.DispatchHandler, held: HeldController) {
    this.#handler = handler
    this.#held = held
  }

  /** Calls the handler's `onRequestStart` before a connection is chosen. */
  start(): void {
    this.#held.onAbort(reason => this.fail(reason))
    this.#call(() => this.#handler.onRequestStart?.(this.#held, {}))
  }

  /** Ends the call with an error, unless it has already ended. */
  fail(thrown: unknown): void {
    if (this.#over) return
    this.#over = true
    const error = asError(thrown)
    try {
      this.#handler.onResponseError?.(this.#held, error)
    } catch {
      // The error callback itself threw, so this exception cannot be reported.
    }
    this.#held.abort(error)
  }

  /** Does not call the handler's `onRequestStart`, because `start` has already called it. */
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
