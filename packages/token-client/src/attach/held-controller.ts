import type { Dispatcher } from 'undici'

type RawHeaders = Exclude<Dispatcher.DispatchController['rawHeaders'], undefined>

/**
 * The controller that the caller's handler receives. This controller stays the same while the client waits for a token
 * or sends the request again. All method calls are forwarded to the current connection's controller.
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

  /** True if the caller has paused the response. */
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

  /** Sets the function to call if the caller aborts while there is no connection. */
  onAbort(abortWait: (reason: Error) => void): void {
    this.#abortWait = abortWait
    if (this.#aborted && this.#behind === undefined) abortWait(this.#reason as Error)
  }

  /** Forwards all further calls to the given controller. */
  connect(controller: Dispatcher.DispatchController): void {
    this.#behind = controller
    if (this.#aborted) controller.abort(this.#reason as Error)
    else if (this.#paused) controller.pause()
  }

  /**
   * Stops forwarding method calls to the connection's controller. Forwarding continues when the request is sent again.
   */
  disconnect(): void {
    this.#behind = undefined
  }
}
