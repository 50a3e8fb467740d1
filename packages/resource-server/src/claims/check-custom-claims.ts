import { messageOf } from 'oauth-issuer-connection'
import { InvalidOptionError, Refusal } from '../errors.js'
import type { Claims } from './profiles.js'
import { structureProblem } from './schema-structure.js'

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
  try {
    return await compile(schema)
  } catch (thrown) {
    if (thrown instanceof InvalidOptionError) throw thrown
    // A getter of the schema may throw anything, `undefined` too.
    const error = new InvalidOptionError(`option \`claims\` is not a JSON Schema: ${messageOf(thrown)}`)
    throw Object.defineProperty(error, 'cause', { value: thrown, enumerable: false })
  }
}

async function compile(schema: object): Promise<CheckCustomClaims> {
  const problem = structureProblem(schema)
  if (problem !== undefined) throw new InvalidOptionError(`option \`claims\` ${problem}`)
  await refuseMistakes(schema)
  const { Compile } = await import('typebox/compile')
  const validator = Compile(schema)
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

/** What is wrong, and where. The messages of TypeBox hold no values. */
function firstOf(errors: readonly { instancePath: string; message: string; params: object }[]): string {
  const [error] = errors
  if (error === undefined) return 'it does not fit'
  const { unevaluatedProperties: unknown } = error.params as { unevaluatedProperties?: readonly string[] }
  const what = unknown === undefined ? error.message : `has unknown keywords: ${unknown.join(', ')}`
  return `${error.instancePath} ${what}`.trim().slice(0, 200)
}
