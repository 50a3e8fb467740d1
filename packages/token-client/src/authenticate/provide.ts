/** Tells a function that gives a secret why it is asked. */
export interface ProvideContext {
  /** The server has just refused what the function gave: whatever it keeps is out of date. */
  readonly refused: boolean
}

/** A value, or a function that gives it whenever it is needed: a file that changes, a vault. */
export type Provided<T> = T | ((context: ProvideContext) => T | Promise<T>)

/** The value, or what the function gives. */
export async function provide<T>(provided: Provided<T>, context: ProvideContext): Promise<T> {
  return typeof provided === 'function'
    ? (provided as (context: ProvideContext) => T | Promise<T>)(context)
    : provided
}
