import { InvalidOptionError, Refusal } from '../errors.js'
import type { Claims } from './profiles.js'

/** Checks the claims that are the application's own. */
export type CheckCustomClaims = (claims: Claims) => Refusal | undefined

/**
 * Compiles the application's schema. TypeBox is loaded only when there is one: it takes longer to load than the rest.
 * @throws {InvalidOptionError} when it is no JSON Schema that TypeBox can compile
 */
export async function compileCustomClaims(schema: object | undefined): Promise<CheckCustomClaims> {
  if (schema === undefined) return () => undefined
  const { Compile } = await import('typebox/compile')
  const validator = compile(() => Compile(schema))
  return claims =>
    validator.Check(claims)
      ? undefined
      : new Refusal('claim', 'the claims do not fit the schema of the option claims')
}

function compile<T>(compileSchema: () => T): T {
  try {
    return compileSchema()
  } catch (error) {
    throw new InvalidOptionError(`option \`claims\` is no JSON Schema: ${(error as Error).message}`)
  }
}
