/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A variable is missing or invalid. */
export class EnvironmentError extends Error {}

/** An empty variable, such as `CLIENT_SECRET=` in an example file, counts as unset. */
export function given(env: Environment, name: string): string | undefined {
  const value = env[name]
  return value === '' ? undefined : value
}

/** @throws {EnvironmentError} if the value is not one of the choices */
export function choice<T extends string>(
  env: Environment,
  name: string,
  choices: readonly T[],
): T | undefined {
  const value = given(env, name)
  const found = choices.find(one => one === value)
  if (value !== undefined && found === undefined)
    throw new EnvironmentError(`${name} is ${JSON.stringify(value)}; expected one of ${choices.join(', ')}`)
  return found
}
