import { within } from 'oauth-issuer-connection'

/** The answer to an operation of a store. Rejects after `ms` milliseconds: a store may hang. */
export async function answerOf<T>(use: () => Promise<T>, ms: number): Promise<T> {
  return within(ms, use(), () => Promise.reject(new Error(`the store did not answer within ${ms} ms`)))
}
