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
 * Wraps the handler that a caller of undici provides. The wrapper catches the handler's exceptions while the client
 * waits for a token and after a 401 response, because undici does not catch them there. As in undici, an exception ends
 * the call, and `onResponseError` is called exactly once. The handler receives the same controller even if the request
 * is sent again.
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

  /**
   * Calls the handler's `onRequestStart` before a connection is chosen, so that the caller can already abort the call.
   */
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
      // The handler's `onResponseError` threw an exception, and there is no other way to report it.
    }
    this.#held.abort(error)
  }

  /** Only connects the controller. The method `start` has already called the handler's `onRequestStart`. */
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
