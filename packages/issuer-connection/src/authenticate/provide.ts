/** Tells a function that provides a secret why it is called. */
export interface ProvideContext {
  /** The server has just refused what the function gave: whatever it has cached is out of date. */
  readonly refused: boolean
}

/** A value, or a function that is called for it whenever it is needed: for a file that changes, or a vault. */
export type Provided<T> = T | ((context: ProvideContext) => T | Promise<T>)

/** The value, or what the function returns. */
export async function provide<T>(provided: Provided<T>, context: ProvideContext): Promise<T> {
  // The cast: TypeScript cannot rule out that T itself is a function.
  return typeof provided === 'function'
    ? (provided as (context: ProvideContext) => T | Promise<T>)(context)
    : provided
}
