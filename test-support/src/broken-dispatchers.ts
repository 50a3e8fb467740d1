import type { Dispatcher } from 'undici'

/** Dispatchers that violate the contract between undici dispatchers and handlers. */
export const brokenDispatchers: Readonly<Record<string, Dispatcher['dispatch']>> = {
  throws() {
    throw new Error('internal')
  },
  'throws undefined'() {
    throw undefined
  },
  rejects: () => Promise.reject(new Error('internal')) as never,
  'reports an undefined error'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    handler.onResponseError?.(controller(), undefined as never)
    return true
  },
  'reports an error twice'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    for (const text of ['internal', 'internal again'])
      handler.onResponseError?.(controller(), new Error(text))
    return true
  },
  'ends the response twice'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    handler.onResponseStart?.(controller(), 200, {}, 'OK')
    for (let time = 0; time < 2; time += 1) handler.onResponseEnd?.(controller(), {})
    return true
  },
  'starts the response twice'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    for (const status of [200, 500]) handler.onResponseStart?.(controller(), status, {}, '')
    handler.onResponseEnd?.(controller(), {})
    return true
  },
  'never ends the response'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    handler.onResponseStart?.(controller(), 200, {}, '')
    return true
  },
  'ends a response that it has not started'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    handler.onResponseEnd?.(controller(), {})
    return true
  },
  'never calls back': () => true,
  'returns nothing': () => undefined as never,
}

function controller(): Dispatcher.DispatchController {
  return { aborted: false, paused: false, reason: null, abort() {}, pause() {}, resume() {} } as never
}
