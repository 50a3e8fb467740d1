import type { Dispatcher } from 'undici'

type RawHeaders = Exclude<Dispatcher.DispatchController['rawHeaders'], undefined>

/**
 * The controller that a caller gets. It stays the same during the wait for a token and when the request is sent again,
 * and forwards everything to the controller of the current connection.
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

  /** Called for an abort while there is no connection. */
  onAbort(abortWait: (reason: Error) => void): void {
    this.#abortWait = abortWait
    if (this.#aborted && this.#behind === undefined) abortWait(this.#reason as Error)
  }

  /** Forwards to this connection from now on. */
  connect(controller: Dispatcher.DispatchController): void {
    this.#behind = controller
    if (this.#aborted) controller.abort(this.#reason as Error)
    else if (this.#paused) controller.pause()
  }

  /** Stops forwarding, until the request is sent again. */
  disconnect(): void {
    this.#behind = undefined
  }
}
