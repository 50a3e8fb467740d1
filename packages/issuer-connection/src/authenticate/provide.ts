/** Tells a function that provides a secret why it is called. */
export interface ProvideContext {
  /** The server has just refused the value that the function returned before, so a cached one is outdated. */
  readonly refused: boolean
}

/**
 * A value, or a function that returns it. The function is called whenever the value is needed, for example to read a
 * file or a vault.
 */
export type Provided<T> = T | ((context: ProvideContext) => T | Promise<T>)

/** The value, or what the function returns. */
export async function provide<T>(provided: Provided<T>, context: ProvideContext): Promise<T> {
  // The cast: TypeScript cannot rule out that T itself is a function.
  return typeof provided === 'function'
    ? (provided as (context: ProvideContext) => T | Promise<T>)(context)
    : provided
}
