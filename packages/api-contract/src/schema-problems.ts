import type { TSchema } from 'typebox'

type Validator = ReturnType<(typeof import('typebox/compile'))['Compile']>
const validators = new WeakMap<TSchema, Validator>()

/**
 * Loads TypeBox's schema compiler on demand, because the compiler takes longer to load than the rest of this package.
 * Servers load the compiler at startup, and clients load it when they validate the first response.
 */
export const loadCompiler = async (): Promise<typeof import('typebox/compile')> => import('typebox/compile')

/**
 * Returns the violated rules and the paths of the invalid values, or undefined if the value is valid. The result is
 * logged, so it does not contain the values themselves.
 */
export async function schemaProblems(schema: TSchema, value: unknown): Promise<string | undefined> {
  let validator = validators.get(schema)
  if (validator === undefined) {
    validator = (await loadCompiler()).Compile(schema)
    validators.set(schema, validator)
  }
  if (validator.Check(value)) return undefined
  const problems = validator
    .Errors(value)
    .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
  return problems.slice(0, 3).join(', ')
}
