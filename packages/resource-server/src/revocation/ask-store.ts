import { within } from 'oauth-issuer-connection'

/** Calls a revocation store. Rejects if the store does not respond within `ms` milliseconds. */
export async function askStore<T>(ms: number, ask: () => PromiseLike<T>): Promise<T> {
  return within(ms, ask(), () => Promise.reject(new Error(`the store did not respond within ${ms} ms`)))
}
