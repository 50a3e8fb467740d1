import type { TSchema } from 'typebox'

type Validator = ReturnType<(typeof import('typebox/compile'))['Compile']>
const validators = new WeakMap<TSchema, Validator>()

/** Loading it takes longer than everything else, so only servers load it before the first answer. */
export const loadCompiler = async (): Promise<typeof import('typebox/compile')> => import('typebox/compile')

/** Paths and rules that a value breaks, without values, which may not be logged. */
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
