import { InvalidOptionError, Refusal } from '../errors.js'
import type { Claims } from './profiles.js'

/** Checks the claims that are the application's own. */
export type CheckCustomClaims = (claims: Claims) => Refusal | undefined

/** Without the option `claims`, every token fits. */
export const anyClaims: CheckCustomClaims = () => undefined

const draft = 'https://json-schema.org/draft/2020-12/schema'

/**
 * Compiles the application's schema. TypeBox is loaded only when there is one: it takes longer to load than the rest.
 * @throws {InvalidOptionError} naming the place in the schema that is not JSON Schema
 */
export async function compileCustomClaims(schema: object | undefined): Promise<CheckCustomClaims> {
  if (schema === undefined) return anyClaims
  refuseAsyncRefinements(schema)
  await refuseMistakes(schema)
  const { Compile } = await import('typebox/compile')
  const validator = compile(() => Compile(schema))
  return claims =>
    validator.Check(claims)
      ? undefined
      : new Refusal('claim', `the option claims: ${firstOf(validator.Errors(claims))}`)
}

/**
 * JSON Schema ignores keywords that it does not know, so a misspelt one would let every token in. The metaschema is made
 * strict: `$dynamicRef` in it leads back to this one for each subschema (JSON Schema 2020-12, Core §8.2.3.2).
 */
async function refuseMistakes(schema: object): Promise<void> {
  const [{ Compile, Meta }, { Entries }] = await Promise.all([
    import('typebox/schema'),
    import('typebox/format'),
  ])
  const strict = {
    $schema: draft,
    $id: 'urn:fastify-resource-server:claims',
    $dynamicAnchor: 'meta',
    allOf: [{ $ref: draft }],
    // TypeBox would ignore a format that it does not know.
    properties: { format: { enum: Entries().map(([name]) => name) } },
    // What TypeBox and Zod note for themselves.
    patternProperties: { '^~': true },
    unevaluatedProperties: false,
  }
  const metaschema = Compile({ [draft]: Meta[draft] }, strict)
  if (!metaschema.Check(schema))
    throw new InvalidOptionError(
      `option \`claims\` is not a JSON Schema (draft 2020-12): ${firstOf(metaschema.Errors(schema)[1])}`,
    )
}

/**
 * TypeBox calls the functions of `Type.Refine` and takes any truthy result for a yes: a promise would let every token in.
 */
function refuseAsyncRefinements(schema: unknown, visited: Set<unknown> = new Set()): void {
  if (typeof schema === 'function' && schema.constructor.name === 'AsyncFunction')
    throw new InvalidOptionError(
      'option `claims` has an async function in Type.Refine; expected one that is not async',
    )
  if (typeof schema !== 'object' || schema === null || visited.has(schema)) return
  visited.add(schema)
  for (const name of Reflect.ownKeys(schema))
    refuseAsyncRefinements((schema as Readonly<Record<PropertyKey, unknown>>)[name], visited)
}

/** What is wrong, and where. The messages of TypeBox hold no values. */
function firstOf(errors: readonly { instancePath: string; message: string; params: object }[]): string {
  const [error] = errors
  if (error === undefined) return 'it does not fit'
  const { unevaluatedProperties: unknown } = error.params as { unevaluatedProperties?: readonly string[] }
  const what = unknown === undefined ? error.message : `has unknown keywords: ${unknown.join(', ')}`
  return `${error.instancePath} ${what}`.trim().slice(0, 200)
}

function compile<T>(compileSchema: () => T): T {
  try {
    return compileSchema()
  } catch (error) {
    throw new InvalidOptionError(`option \`claims\` is not a JSON Schema: ${(error as Error).message}`)
  }
}
