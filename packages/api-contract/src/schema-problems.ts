import type { TSchema } from 'typebox'

type Validator = ReturnType<(typeof import('typebox/compile'))['Compile']>
const validators = new WeakMap<TSchema, Validator>()

/** Loads the compiler, which takes longer than the rest of the package. Servers load it at start-up, clients for their first answer. */
export const loadCompiler = async (): Promise<typeof import('typebox/compile')> => import('typebox/compile')

/** The rules that a value breaks and their paths. Contains no values, because the result is logged. */
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
