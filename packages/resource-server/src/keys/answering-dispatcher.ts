import type { Dispatcher } from 'undici'

/** What `fetch` is answered with; the body is JSON text. */
export interface PreparedAnswer {
  readonly status: number
  readonly body: string
}

/**
 * A dispatcher that answers every request with what `prepare` resolves to, instead of sending it. It lets a library
 * that calls `fetch` go through our connection, which bounds time and size and decodes the answer.
 */
export async function answerWith(prepare: () => Promise<PreparedAnswer>): Promise<Dispatcher> {
  const { Dispatcher: Base } = await import('undici')
  // `compose` accepts the handlers of every undici from 6 to 8, and so those of the `fetch` of every supported Node.
  return new Base().compose(() => (_options, handler) => {
    void answer(prepare, handler)
    return true
  })
}

async function answer(
  prepare: () => Promise<PreparedAnswer>,
  handler: Dispatcher.DispatchHandler,
): Promise<void> {
  const controller = inertController()
  try {
    handler.onRequestStart?.(controller, {})
    const { status, body } = await prepare()
    handler.onResponseStart?.(controller, status, { 'content-type': 'application/json' }, '')
    handler.onResponseData?.(controller, Buffer.from(body))
    handler.onResponseEnd?.(controller, {})
  } catch (error) {
    handler.onResponseError?.(controller, error as Error)
  }
}

/** The exchange has its own time limit, and the body is delivered at once: there is nothing to pause or to abort. */
function inertController(): Dispatcher.DispatchController {
  return {
    aborted: false,
    paused: false,
    reason: null,
    abort() {},
    pause() {},
    resume() {},
  }
}
