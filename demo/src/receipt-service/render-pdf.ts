import createError from '@fastify/error'
import { Piscina } from 'piscina'
import type { Receipt } from '../receipts-api.js'

/** What rendering may take. */
export interface RenderLimits {
  /** Worker threads: each renders one receipt at a time, 20 to 50 a second. */
  readonly threads: number
  /** Receipts that may wait for a thread; one more is answered 503. */
  readonly maxQueue: number
  /** Waiting and rendering together, in milliseconds; then the thread is ended. */
  readonly timeoutMs: number
  /** JavaScript heap of one thread, in MB. */
  readonly maxHeapMb: number
}

/** Turns receipts into PDF. */
export interface Renderer {
  /**
   * @returns the same bytes for the same receipt
   * @throws {RendererBusyError} when too many wait already
   * @throws {RenderFailedError} when it took too long or too much memory
   */
  render(receipt: Receipt): Promise<Uint8Array>
  /** Waits for what is being rendered, then ends the threads. */
  close(): Promise<void>
}

/** Too many receipts wait for a thread: 503, try again in a second. */
export const RendererBusyError = createError(
  'RECEIPT_RENDERER_BUSY',
  'Too many receipts are being rendered; try again shortly.',
  503,
)

/** A receipt could not be rendered within its limits: 503, since the next try may find more room. */
export const RenderFailedError = createError(
  'RECEIPT_RENDER_FAILED',
  'The receipt could not be rendered within its time and memory.',
  503,
)

/** A render blocks its thread from start to end, so it has threads of its own, bounded in number, memory, time and queue. */
export function startRenderer(limits: RenderLimits): Renderer {
  const pool = new Piscina<Receipt, Uint8Array>({
    filename: new URL('render-worker.js', import.meta.url).href,
    // The renderer needs none of the loaders and hooks that this process may have been started with.
    execArgv: [],
    minThreads: 1,
    maxThreads: limits.threads,
    resourceLimits: { maxOldGenerationSizeMb: limits.maxHeapMb },
    // A request in flight at shutdown is answered first.
    closeTimeout: limits.timeoutMs,
  })
  // Counted here: piscina leaves tasks that can be aborted out of its own `maxQueue`.
  const mostAtOnce = limits.threads + limits.maxQueue
  let taken = 0
  return {
    async render(receipt) {
      if (taken >= mostAtOnce) throw new RendererBusyError()
      taken += 1
      try {
        return await pool.run(receipt, { signal: AbortSignal.timeout(limits.timeoutMs) })
      } catch (error) {
        throw Object.assign(new RenderFailedError(), { cause: error })
      } finally {
        taken -= 1
      }
    },
    close: () => pool.close(),
  }
}
