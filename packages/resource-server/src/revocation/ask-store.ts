import { within } from 'oauth-issuer-connection'

/** Settles as `ask` does, or rejects after `ms` milliseconds: a store may hang. */
export async function askStore<T>(ms: number, ask: () => PromiseLike<T>): Promise<T> {
  return within(ms, ask(), () => Promise.reject(new Error(`the store did not answer within ${ms} ms`)))
}
