import { within } from 'oauth-issuer-connection'

/** Waits for the result of a store operation. Rejects after `ms` milliseconds, because the store may never respond. */
export async function answerOf<T>(use: () => Promise<T>, ms: number): Promise<T> {
  return within(ms, use(), () => Promise.reject(new Error(`the token store did not respond within ${ms} ms`)))
}
