import type { Dispatcher } from 'undici'

/** Dispatchers that violate the handler contract of undici. */
export const brokenDispatchers: Readonly<Record<string, Dispatcher['dispatch']>> = {
  throws() {
    throw new Error('internal')
  },
  'throws undefined'() {
    throw undefined
  },
  rejects: () => Promise.reject(new Error('internal')) as never,
  'tells of an error without an error'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    handler.onResponseError?.(controller(), undefined as never)
    return true
  },
  'tells of an error twice'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    for (const text of ['internal', 'internal again'])
      handler.onResponseError?.(controller(), new Error(text))
    return true
  },
  'ends the answer twice'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    handler.onResponseStart?.(controller(), 200, {}, 'OK')
    for (let time = 0; time < 2; time += 1) handler.onResponseEnd?.(controller(), {})
    return true
  },
  'answers twice'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    for (const status of [200, 500]) handler.onResponseStart?.(controller(), status, {}, '')
    handler.onResponseEnd?.(controller(), {})
    return true
  },
  'answers and never ends'(_, handler) {
    handler.onRequestStart?.(controller(), {})
    handler.onResponseStart?.(controller(), 200, {}, '')
    return true
  },
  'ends without a start'(_, handler) {
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
