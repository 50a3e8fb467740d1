import type { Dispatcher } from 'undici'

type RawHeaders = Exclude<Dispatcher.DispatchController['rawHeaders'], undefined>

/**
 * The controller a caller holds while its request is not yet, or no longer, on one connection: it stays the same over
 * the wait for a token and over a replay, and passes everything on to the controller behind it.
 */
export class HeldController implements Dispatcher.DispatchController {
  #behind: Dispatcher.DispatchController | undefined
  #paused = false
  #reason: Error | null = null
  #aborted = false
  #abortWait: ((reason: Error) => void) | undefined

  get aborted(): boolean {
    return this.#aborted
  }

  /** Whether the caller has paused. */
  get paused(): boolean {
    return this.#paused
  }

  get reason(): Error | null {
    return this.#reason
  }

  get rawHeaders(): RawHeaders {
    return this.#behind?.rawHeaders ?? null
  }

  get rawTrailers(): RawHeaders {
    return this.#behind?.rawTrailers ?? null
  }

  pause(): void {
    this.#paused = true
    this.#behind?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#behind?.resume()
  }

  abort(reason: Error): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    if (this.#behind === undefined) this.#abortWait?.(reason)
    else this.#behind.abort(reason)
  }

  /** What an abort does while no connection is behind. */
  onAbort(abortWait: (reason: Error) => void): void {
    this.#abortWait = abortWait
    if (this.#aborted && this.#behind === undefined) abortWait(this.#reason as Error)
  }

  /** Puts a connection's controller behind. */
  connect(controller: Dispatcher.DispatchController): void {
    this.#behind = controller
    if (this.#aborted) controller.abort(this.#reason as Error)
    else if (this.#paused) controller.pause()
  }

  /** Takes the connection's controller away, between an answer and a replay. */
  disconnect(): void {
    this.#behind = undefined
  }

  /** The handler for the request that goes out later: `handler` has been started already and keeps this controller. */
  handOver(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart: controller => this.connect(controller),
      onRequestUpgrade: (_, statusCode, headers, socket) =>
        handler.onRequestUpgrade?.(this, statusCode, headers, socket),
      onResponseStart: (_, statusCode, headers, statusMessage) =>
        handler.onResponseStart?.(this, statusCode, headers, statusMessage),
      onResponseData: (_, chunk) => handler.onResponseData?.(this, chunk),
      onResponseEnd: (_, trailers) => handler.onResponseEnd?.(this, trailers),
      onResponseError: (_, error) => handler.onResponseError?.(this, error),
    }
  }
}
