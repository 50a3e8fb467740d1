import type { Dispatcher } from 'undici'

/** A prepared response with a JSON body. */
export interface PreparedAnswer {
  readonly status: number
  readonly body: string
}

/**
 * Creates an undici dispatcher that sends no requests, but responds to each request with the result of `prepare`. If a
 * library calls `fetch` with this dispatcher, this package can send the request itself, within its own time and size
 * limits.
 */
export async function answerWith(prepare: () => Promise<PreparedAnswer>): Promise<Dispatcher> {
  const { Dispatcher: Base } = await import('undici')
  // `compose` accepts the handlers of undici 6, 7 and 8. Each supported Node.js version includes one of these undici versions.
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
 * Creates an undici dispatch controller that does nothing. The issuer connection has its own time limit and delivers
 * the body in one chunk, so there is nothing to abort or pause.
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
