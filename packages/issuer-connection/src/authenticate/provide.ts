/** The argument of functions that provide a secret. */
export interface ProvideContext {
  /** True if the server has refused the last returned value. A cached value is then outdated. */
  readonly refused: boolean
}

/**
 * A value, or a function that returns it. The function is called each time the value is needed, so it can read a file
 * or a vault.
 */
export type Provided<T> = T | ((context: ProvideContext) => T | Promise<T>)

/** Returns the value, or calls the function that provides it. */
export async function provide<T>(provided: Provided<T>, context: ProvideContext): Promise<T> {
  // The cast is needed because TypeScript cannot exclude that T is a function type.
  return typeof provided === 'function'
    ? (provided as (context: ProvideContext) => T | Promise<T>)(context)
    : provided
}
