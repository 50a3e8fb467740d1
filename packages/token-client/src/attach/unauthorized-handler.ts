import { AsyncResource } from 'node:async_hooks'
import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import { HeldController } from './held-controller.js'
import type { Replayable } from './replayable-body.js'
import type { Scheme } from './scheme.js'

type Handler = Required<
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
type Arguments<Event extends keyof Handler> = Parameters<Handler[Event]>

/** How often one call may still be sent again, and for which reason. */
export interface Attempts {
  /** With another token. */
  readonly renewals: number
  /** With the nonce that the API wants in its proof (RFC 9449 §9): the token is all right. */
  readonly nonces: number
}

/** What to do about a 401. */
export interface Replay {
  readonly scheme: Scheme
  /** Drops the token; false when no other may be asked for now. */
  readonly invalidate: (token: Token) => boolean
  readonly getToken: () => Token | Promise<Token>
  /** Sends a request once more. */
  readonly send: (
    request: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    token: Token,
    left: Attempts,
  ) => void
  readonly onRefused: ((request: Dispatcher.DispatchOptions, replayed: boolean) => void) | undefined
}

/** One sending of a call. */
export interface Sending {
  readonly body: Replayable
  readonly token: Token
  readonly left: Attempts
}

/** What a call is sent again with. */
interface Again {
  readonly request: Dispatcher.DispatchOptions
  readonly token: Token
  readonly left: Attempts
}

/** More of a 401 is not taken in while it is held back. */
const maxHeldBytes = 65_536

/**
 * Watches one answer. A 401 for our token (RFC 6750 §3.1) drops that token and sends the request once more with
 * another one; the second answer is delivered whatever it is. While the other token is asked for, the 401 is held
 * back, so that it can still be delivered if there is none. What has not come of it by then is not waited for: where it
 * has come to its end, its connection goes on.
 */
export class UnauthorizedHandler implements Handler {
  readonly #body: Replayable
  readonly #handler: Dispatcher.DispatchHandler
  readonly #token: Token
  readonly #replay: Replay
  readonly #left: Attempts
  /** undici tells of answers in the context of whoever opened the connection; a replay belongs to the caller. */
  readonly #caller: AsyncResource = new AsyncResource('FASTIFY_TOKEN_CLIENT_CALL')
  readonly #held: HeldController = new HeldController()
  #heldBack: (() => void)[] | undefined
  #heldBytes = 0
  /** All of the answer has come. */
  #ended = false
  /** The caller hears no more of this answer. */
  #over = false

  constructor(handler: Dispatcher.DispatchHandler, { body, token, left }: Sending, replay: Replay) {
    this.#body = body
    this.#handler = handler
    this.#token = token
    this.#replay = replay
    this.#left = left
  }

  onRequestStart(...[controller, context]: Arguments<'onRequestStart'>): void {
    this.#held.connect(controller)
    this.#handler.onRequestStart?.(this.#held, context)
  }

  onRequestUpgrade(...[, statusCode, headers, socket]: Arguments<'onRequestUpgrade'>): void {
    this.#handler.onRequestUpgrade?.(this.#held, statusCode, headers, socket)
  }

  onResponseStart(...[controller, statusCode, headers, statusMessage]: Arguments<'onResponseStart'>): void {
    const deliver = (): void =>
      this.#handler.onResponseStart?.(this.#held, statusCode, headers, statusMessage)
    const wantsNonce = this.#replay.scheme.learn(this.#body.request, statusCode, headers)
    if (statusCode !== 401) return deliver()
    this.#caller.runInAsyncScope(() => {
      const again = wantsNonce && this.#left.nonces > 0 ? this.#withNonce() : this.#withAnotherToken()
      if (again === undefined) return deliver()
      this.#heldBack = [deliver]
      void again.then(decided => this.#decide(controller, decided))
    })
  }

  /** What to send with the nonce, which is learned already. */
  #withNonce(): Promise<Again> | undefined {
    const request = this.#body.again()
    if (request === undefined) return undefined
    const left = { ...this.#left, nonces: this.#left.nonces - 1 }
    return Promise.resolve({ request, token: this.#token, left })
  }

  /** What to send with another token, if there may be one and the body is still there. */
  #withAnotherToken(): Promise<Again | undefined> | undefined {
    const mayAsk = this.#replay.invalidate(this.#token)
    const request = mayAsk && this.#left.renewals > 0 ? this.#body.again() : undefined
    this.#replay.onRefused?.(this.#body.request, request !== undefined)
    if (request === undefined) return undefined
    const left = { ...this.#left, renewals: this.#left.renewals - 1 }
    return Promise.resolve(this.#replay.getToken()).then(
      token => (token.accessToken === this.#token.accessToken ? undefined : { request, token, left }),
      () => undefined, // the 401 tells the caller
    )
  }

  /** Delivers the 401 after all, or lets go of it and sends the request again. */
  #decide(controller: Dispatcher.DispatchController, again: Again | undefined): void {
    const heldBack = this.#heldBack ?? []
    this.#heldBack = undefined
    if (this.#over) return
    if (again !== undefined) return this.#sendAgain(controller, again)
    this.#held.connect(controller)
    for (const deliver of heldBack) deliver()
    if (this.#ended) this.#over = true
    else if (!this.#held.paused) controller.resume()
  }

  onResponseData(...[controller, chunk]: Arguments<'onResponseData'>): void {
    this.#deliver(() => this.#handler.onResponseData?.(this.#held, chunk))
    if (this.#heldBack === undefined) return
    this.#heldBytes += chunk.length
    // Not every dispatcher pauses when it is told to: undici's MockAgent does not.
    if (this.#heldBytes > maxHeldBytes) controller.pause()
  }

  onResponseEnd(...[controller, trailers]: Arguments<'onResponseEnd'>): void {
    this.#end(controller, () => this.#handler.onResponseEnd?.(this.#held, trailers))
  }

  onResponseError(...[controller, error]: Arguments<'onResponseError'>): void {
    const deliver = (): void => this.#handler.onResponseError?.(this.#held, error)
    if (!this.#held.aborted) return this.#end(controller, deliver)
    this.#heldBack = undefined // nothing is held back from a caller who has gone
    this.#deliver(deliver)
    this.#over = true
  }

  /** Once an answer has come to its end, there is no connection left that would tell of an abort. */
  #end(controller: Dispatcher.DispatchController, deliver: () => void): void {
    this.#ended = true
    this.#deliver(deliver)
    if (this.#heldBack === undefined) return
    this.#held.disconnect()
    this.#held.onAbort(reason => this.onResponseError(controller, reason))
  }

  /** Now, or once the 401 is delivered after all. */
  #deliver(deliver: () => void): void {
    if (this.#over) return
    if (this.#heldBack === undefined) deliver()
    else this.#heldBack.push(deliver)
  }

  #sendAgain(controller: Dispatcher.DispatchController, { request, token, left }: Again): void {
    this.#over = true
    this.#held.disconnect()
    if (!this.#ended) controller.abort(new Error('the rest of a 401 is not waited for'))
    const handler = this.#held.handOver(this.#handler)
    this.#caller.runInAsyncScope(() => this.#replay.send(request, handler, token, left))
  }
}
