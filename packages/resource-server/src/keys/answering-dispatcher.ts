import type { Dispatcher } from 'undici'

/** A prepared response with a JSON body. */
export interface PreparedAnswer {
  readonly status: number
  readonly body: string
}

/**
 * Creates an undici dispatcher that answers every request with the result of `prepare` instead of sending the request.
 * When a library calls `fetch` with this dispatcher, `prepare` can send the request in its place, within the time and
 * size limits of this package.
 */
export async function answerWith(prepare: () => Promise<PreparedAnswer>): Promise<Dispatcher> {
  const { Dispatcher: Base } = await import('undici')
  // Supported versions of Node.js include undici 6, 7 or 8. `compose` works with the request handlers of all three.
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

/**
 * Creates an undici dispatch controller whose methods do nothing. The response need not be aborted, because the issuer
 * connection has its own time limit, or paused, because the body is delivered in one chunk.
 */
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
