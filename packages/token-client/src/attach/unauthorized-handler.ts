import { AsyncResource } from 'node:async_hooks'
import { asError } from 'oauth-issuer-connection'
import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import { ContainedHandler, type Arguments, type Handler } from './contained-handler.js'
import { HeldController } from './held-controller.js'
import type { TokenScheme } from './token-scheme.js'
import type { Resend, SentRequest, UnauthorizedPolicy } from './unauthorized-policy.js'

/** The functions that are called when a response arrives. */
export interface AnswerActions {
  readonly scheme: TokenScheme
  readonly accept: (token: Token) => void
  readonly afterUnauthorized: UnauthorizedPolicy
  /** Sends the request again. */
  readonly resend: (resend: Resend, handler: Dispatcher.DispatchHandler) => void
}

/** The maximum number of bytes to buffer from the body of a 401 response. */
const maxHeldBytes = 65_536

/**
 * Handles the response to one request. A 401 response is buffered while the client requests a different token. Then the
 * request is sent again, or the caller receives the 401 response. If the body of the 401 response is still incomplete
 * when the request is sent again, its connection is aborted.
 */
export class UnauthorizedHandler implements Handler {
  readonly #sent: SentRequest
  readonly #actions: AnswerActions
  /**
   * undici calls handlers in the async context of the connection, but a request that is sent again must run in the
   * caller's context.
   */
  readonly #caller: AsyncResource = new AsyncResource('FASTIFY_TOKEN_CLIENT_CALL')
  readonly #held: HeldController = new HeldController()
  #handler: Dispatcher.DispatchHandler
  #heldBack: (() => void)[] | undefined
  #heldBytes = 0
  /** True once the response is complete. */
  #ended = false
  /** True once no further events of this response will be passed to the caller's handler. */
  #over = false

  constructor(handler: Dispatcher.DispatchHandler, sent: SentRequest, actions: AnswerActions) {
    this.#handler = handler
    this.#sent = sent
    this.#actions = actions
  }

  onRequestStart(...[controller, context]: Arguments<'onRequestStart'>): void {
    this.#held.connect(controller)
    this.#handler.onRequestStart?.(this.#held, context)
  }

  onRequestUpgrade(...[, statusCode, headers, socket]: Arguments<'onRequestUpgrade'>): void {
    this.#actions.accept(this.#sent.token)
    this.#handler.onRequestUpgrade?.(this.#held, statusCode, headers, socket)
  }

  onResponseStart(...[controller, statusCode, headers, statusMessage]: Arguments<'onResponseStart'>): void {
    const { scheme, accept } = this.#actions
    const deliver = (): void =>
      this.#handler.onResponseStart?.(this.#held, statusCode, headers, statusMessage)
    const wantsNonce = scheme.learn(this.#sent.body.request, statusCode, headers)
    if (statusCode !== 401) {
      accept(this.#sent.token)
      return deliver()
    }
    this.#caller.runInAsyncScope(() => this.#holdBack(controller, deliver, wantsNonce))
  }

  onResponseData(...[controller, chunk]: Arguments<'onResponseData'>): void {
    this.#deliver(() => this.#handler.onResponseData?.(this.#held, chunk))
    if (this.#heldBack === undefined) return
    this.#heldBytes += chunk.length
    if (this.#heldBytes > maxHeldBytes) controller.pause()
  }

  onResponseEnd(...[controller, trailers]: Arguments<'onResponseEnd'>): void {
    this.#end(controller, () => this.#handler.onResponseEnd?.(this.#held, trailers))
  }

  onResponseError(...[controller, reason]: Arguments<'onResponseError'>): void {
    const error = asError(reason)
    const deliver = (): void => this.#handler.onResponseError?.(this.#held, error)
    if (!this.#held.aborted) return this.#end(controller, deliver)
    this.#heldBack = undefined // After the caller aborts a call, its handler receives only the error.
    this.#deliver(deliver)
    this.#over = true
  }

  #holdBack(controller: Dispatcher.DispatchController, deliver: () => void, wantsNonce: boolean): void {
    const resend = this.#actions.afterUnauthorized(this.#sent, wantsNonce)
    if (resend === undefined) return deliver()
    const contained = new ContainedHandler(this.#handler, this.#held)
    this.#handler = contained
    this.#heldBack = [deliver]
    void resend
      .then(decided => this.#decide(controller, decided))
      .catch((error: unknown) => contained.fail(error)) // a dispatcher that throws
  }

  /** Passes the 401 response to the caller, or discards it and sends the request again. */
  #decide(controller: Dispatcher.DispatchController, resend: Resend | undefined): void {
    const heldBack = this.#heldBack ?? []
    this.#heldBack = undefined
    if (this.#over) return
    if (resend !== undefined) return this.#resend(controller, resend)
    this.#held.connect(controller)
    for (const deliver of heldBack) deliver()
    if (this.#ended) this.#over = true
    else if (!this.#held.paused) controller.resume()
  }

  /**
   * Marks the response as complete. From this point on, the connection no longer reports an abort by the caller, so
   * this handler reports it.
   */
  #end(controller: Dispatcher.DispatchController, deliver: () => void): void {
    this.#ended = true
    this.#deliver(deliver)
    if (this.#heldBack === undefined) return
    this.#held.disconnect()
    this.#held.onAbort(reason => this.onResponseError(controller, reason))
  }

  /** Passes an event to the caller's handler. While a 401 response is buffered, buffers the event instead. */
  #deliver(deliver: () => void): void {
    if (this.#over) return
    if (this.#heldBack === undefined) deliver()
    else this.#heldBack.push(deliver)
  }

  #resend(controller: Dispatcher.DispatchController, resend: Resend): void {
    this.#over = true
    this.#held.disconnect()
    if (!this.#ended)
      controller.abort(
        new Error('the request is being sent again, so the rest of the 401 response is discarded'),
      )
    this.#caller.runInAsyncScope(() => this.#actions.resend(resend, this.#handler))
  }
}
