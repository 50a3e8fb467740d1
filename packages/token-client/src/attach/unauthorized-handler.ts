import { AsyncResource } from 'node:async_hooks'
import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import { HeldController } from './held-controller.js'
import { maxDrainedBytes, type Replayable } from './replayable-body.js'
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

/**
 * Watches one answer. A 401 for our token (RFC 6750 §3.1) drops that token and sends the request once more with
 * another one; the second answer is delivered whatever it is. While the other token is asked for, the 401 is held
 * back, so that it can still be delivered if there is none.
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
  #again: Again | undefined
  #drained = 0
  /** What came while the 401 is held back: not every dispatcher pauses when it is told to (undici's MockAgent). */
  #heldBack: (() => void)[] | undefined
  #ended = false
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
    if (wantsNonce && this.#left.nonces > 0) {
      const request = this.#body.again()
      if (request === undefined) return deliver()
      this.#again = { request, token: this.#token, left: { ...this.#left, nonces: this.#left.nonces - 1 } }
      return
    }
    this.#caller.runInAsyncScope(() => this.#askAnother(controller, deliver))
  }

  #askAnother(controller: Dispatcher.DispatchController, deliver: () => void): void {
    const request = this.#giveUpToken()
    if (request === undefined) return deliver()
    controller.pause()
    this.#heldBack = [deliver]
    Promise.resolve(this.#replay.getToken()).then(
      token => {
        const left = { ...this.#left, renewals: this.#left.renewals - 1 }
        const isOther = token.accessToken !== this.#token.accessToken
        this.#decide(controller, isOther ? { request, token, left } : undefined)
      },
      () => this.#decide(controller, undefined),
    )
  }

  /** Delivers the 401 after all, or lets go of it and sends the request again. */
  #decide(controller: Dispatcher.DispatchController, again: Again | undefined): void {
    const heldBack = this.#heldBack ?? []
    this.#heldBack = undefined
    if (this.#over) return
    this.#again = again
    if (again === undefined) for (const deliver of heldBack) deliver()
    else if (this.#ended) return this.#sendAgain(again)
    if (!this.#ended && (again !== undefined || !this.#held.paused)) controller.resume()
  }

  /** The request to send with another token, if there may be one and the body is still there. */
  #giveUpToken(): Dispatcher.DispatchOptions | undefined {
    const mayAsk = this.#replay.invalidate(this.#token)
    const request = mayAsk && this.#left.renewals > 0 ? this.#body.again() : undefined
    this.#replay.onRefused?.(this.#body.request, request !== undefined)
    return request
  }

  onResponseData(...[controller, chunk]: Arguments<'onResponseData'>): void {
    const deliver = (): void => this.#handler.onResponseData?.(this.#held, chunk)
    if (this.#heldBack !== undefined) return void this.#heldBack.push(deliver)
    if (this.#again === undefined) return deliver()
    this.#drained += chunk.length
    if (this.#drained > maxDrainedBytes)
      controller.abort(new Error('the body of a 401 is not read any further'))
  }

  onResponseEnd(...[, trailers]: Arguments<'onResponseEnd'>): void {
    this.#end(() => this.#handler.onResponseEnd?.(this.#held, trailers))
  }

  onResponseError(...[, error]: Arguments<'onResponseError'>): void {
    const deliver = (): void => this.#handler.onResponseError?.(this.#held, error)
    if (!this.#held.aborted) return this.#end(deliver)
    if (!this.#over) deliver()
    this.#over = true
  }

  #end(deliver: () => void): void {
    this.#ended = true
    if (this.#heldBack !== undefined) this.#heldBack.push(deliver)
    else if (this.#again === undefined) deliver()
    else this.#sendAgain(this.#again)
  }

  #sendAgain({ request, token, left }: Again): void {
    this.#held.disconnect()
    const handler = this.#held.handOver(this.#handler)
    this.#caller.runInAsyncScope(() => this.#replay.send(request, handler, token, left))
  }
}
