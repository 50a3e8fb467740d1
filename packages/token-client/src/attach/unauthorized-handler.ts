import type { Dispatcher } from 'undici'
import type { Token } from '../token.js'
import { HeldController } from './held-controller.js'
import { isReplayable } from './is-replayable.js'

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

/** What to do about a 401. */
export interface Replay {
  /** Drops the token; false when no other may be asked for now. */
  readonly invalidate: (token: Token) => boolean
  readonly getToken: () => Token | Promise<Token>
  /** Sends the request once more, with another token. */
  readonly send: (token: Token, handler: Dispatcher.DispatchHandler) => void
  readonly onRefused: ((request: Dispatcher.DispatchOptions, replayed: boolean) => void) | undefined
}

/** More of a 401's body is not read for the sake of the connection. */
const maxDrainedBytes = 65_536

/**
 * Watches one answer. A 401 for our token (RFC 6750 §3.1) drops that token and sends the request once more with
 * another one; the second answer is delivered whatever it is. While the other token is asked for, the 401 is held
 * back, so that it can still be delivered if there is none.
 */
export class UnauthorizedHandler implements Handler {
  readonly #request: Dispatcher.DispatchOptions
  readonly #handler: Dispatcher.DispatchHandler
  readonly #token: Token
  readonly #replay: Replay
  readonly #held: HeldController = new HeldController()
  #next: Token | undefined
  #drained = 0

  constructor(
    request: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    token: Token,
    replay: Replay,
  ) {
    this.#request = request
    this.#handler = handler
    this.#token = token
    this.#replay = replay
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
    if (statusCode !== 401 || !this.#mayReplay()) return deliver()
    controller.pause()
    const deliverAfterAll = (): void => {
      deliver()
      if (!this.#held.paused) controller.resume()
    }
    Promise.resolve(this.#replay.getToken()).then(next => {
      if (next.accessToken === this.#token.accessToken) return deliverAfterAll()
      this.#next = next
      controller.resume()
    }, deliverAfterAll)
  }

  #mayReplay(): boolean {
    const mayAsk = this.#replay.invalidate(this.#token)
    const replayed = mayAsk && isReplayable(this.#request.body)
    this.#replay.onRefused?.(this.#request, replayed)
    return replayed
  }

  onResponseData(...[controller, chunk]: Arguments<'onResponseData'>): void {
    if (this.#next === undefined) return this.#handler.onResponseData?.(this.#held, chunk)
    this.#drained += chunk.length
    if (this.#drained > maxDrainedBytes)
      controller.abort(new Error('the body of a 401 is not read any further'))
  }

  onResponseEnd(...[, trailers]: Arguments<'onResponseEnd'>): void {
    if (this.#next === undefined) this.#handler.onResponseEnd?.(this.#held, trailers)
    else this.#sendAgain(this.#next)
  }

  onResponseError(...[, error]: Arguments<'onResponseError'>): void {
    if (this.#next === undefined || this.#held.aborted) this.#handler.onResponseError?.(this.#held, error)
    else this.#sendAgain(this.#next)
  }

  #sendAgain(token: Token): void {
    this.#held.disconnect()
    this.#replay.send(token, this.#held.handOver(this.#handler))
  }
}
