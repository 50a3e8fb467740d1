import type { Dispatcher } from 'undici'

/** A prepared response with JSON text as its body. */
export interface PreparedAnswer {
  readonly status: number
  readonly body: string
}

/**
 * Creates an undici dispatcher that sends nothing and responds to every request with the result of `prepare`. A
 * library that calls `fetch` then uses our connection to the issuer, with its limits of time and size.
 */
export async function answerWith(prepare: () => Promise<PreparedAnswer>): Promise<Dispatcher> {
  const { Dispatcher: Base } = await import('undici')
  // `compose` accepts the handlers of undici 6 to 8, which the `fetch` of the supported Node.js versions uses.
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

/** This controller does nothing, because our connection has its own time limit and delivers the body in one chunk. */
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
