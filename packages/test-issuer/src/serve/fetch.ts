import type { Handle } from './answer.js'

/** A `fetch` function that reaches the issuer without a socket. */
export type IssuerFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * Creates a `fetch` function for the issuer.
 * @param reachable returns whether the issuer is online; if not, `fetch` rejects with ECONNREFUSED
 */
export function createFetch(origin: string, handle: Handle, reachable: () => boolean): IssuerFetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    if (url.origin !== origin) throw unreachable(`${url.origin} is not the issuer ${origin}`)
    if (!reachable()) throw unreachable('the issuer is offline')
    const sent = await request.text()
    request.signal.throwIfAborted()
    const answer = handle({
      method: request.method,
      path: url.pathname,
      headers: Object.fromEntries(request.headers),
      body: sent,
      signal: request.signal,
    })
    const { status, headers, body } = await Promise.race([answer, abortOf(request.signal)])
    if (!reachable()) throw unreachable('the issuer went offline')
    const isBodiless = request.method === 'HEAD' || bodiless.has(status)
    return new Response(isBodiless ? null : body, { status, headers })
  }
}

/** The status codes of responses that have no body (RFC 9110 §15). */
const bodiless = new Set([204, 205, 304])

/** Returns a promise that rejects when the signal is aborted. */
function abortOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  )
}

/** Creates an error that looks like an error from undici's fetch: a TypeError whose `cause` has an error code. */
function unreachable(message: string): TypeError {
  return new TypeError('fetch failed', {
    cause: Object.assign(new Error(message), { code: 'ECONNREFUSED' }),
  })
}
