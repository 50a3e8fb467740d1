import createError from '@fastify/error'
import { Piscina } from 'piscina'
import type { Receipt } from '../receipts-api.js'

/** What rendering may take. */
export interface RenderLimits {
  /** Number of worker threads; each renders 20 to 50 receipts per second, one at a time. */
  readonly threads: number
  /** Maximum number of waiting receipts; further ones are answered 503. */
  readonly maxQueue: number
  /** Maximum time for waiting and rendering, in milliseconds; then the thread is terminated. */
  readonly timeoutMs: number
  /** Maximum JavaScript heap of one thread, in MB. */
  readonly maxHeapMb: number
}

/** Turns receipts into PDF. */
export interface Renderer {
  /**
   * @returns the same bytes for the same receipt
   * @throws {RendererBusyError} if too many receipts are waiting
   * @throws {RenderFailedError} if rendering exceeds its time or memory
   */
  render(receipt: Receipt): Promise<Uint8Array>
  /** Waits for running renders, then ends the threads. */
  close(): Promise<void>
}

/** 503: too many receipts are waiting for a thread; try again in a second. */
export const RendererBusyError = createError(
  'RECEIPT_RENDERER_BUSY',
  'Too many receipts are being rendered; try again shortly.',
  503,
)

/** 503: a receipt exceeded its limits; a later attempt may succeed. */
export const RenderFailedError = createError(
  'RECEIPT_RENDER_FAILED',
  'The receipt could not be rendered within its time and memory.',
  503,
)

/** Starts worker threads, because a render blocks its thread. Their number, memory, time and queue are limited. */
export function startRenderer(limits: RenderLimits): Renderer {
  const pool = new Piscina<Receipt, Uint8Array>({
    filename: new URL('render-worker.js', import.meta.url).href,
    // The renderer does not need this process's loaders and hooks.
    execArgv: [],
    minThreads: 1,
    maxThreads: limits.threads,
    resourceLimits: { maxOldGenerationSizeMb: limits.maxHeapMb },
    // Running renders are finished during shutdown.
    closeTimeout: limits.timeoutMs,
  })
  // Counted here, because piscina's `maxQueue` does not count tasks with an abort signal.
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
