/** The argument that is passed to a function that provides a secret, a key or a certificate. */
export interface ProvideContext {
  /**
   * True if the server has rejected the value that the function last returned. In this case, a function that caches the
   * value must read a new one.
   */
  readonly refused: boolean
}

/**
 * A value, or a function that returns the value. The function is called each time the value is needed, so it can read
 * the current value from a file or a vault.
 */
export type Provided<T> = T | ((context: ProvideContext) => T | Promise<T>)

/** Returns the value, or calls the function that provides it. */
export async function provide<T>(provided: Provided<T>, context: ProvideContext): Promise<T> {
  // The cast is needed because T itself could be a function type.
  return typeof provided === 'function'
    ? (provided as (context: ProvideContext) => T | Promise<T>)(context)
    : provided
}
