import { messageOf } from 'oauth-issuer-connection'
import { InvalidOptionError, Refusal } from '../errors.js'
import type { Claims } from './profiles.js'
import { structureProblem } from './schema-structure.js'

/** Checks the claims against the schema in the option `claims`. */
export type CheckCustomClaims = (claims: Claims) => Refusal | undefined

/** Accepts all claims if the option `claims` is not set. */
export const anyClaims: CheckCustomClaims = () => undefined

const draft = 'https://json-schema.org/draft/2020-12/schema'

/**
 * Compiles the schema in the option `claims`. TypeBox is imported only if there is a schema, because TypeBox loads more
 * slowly than the rest of this package.
 * @throws {InvalidOptionError} if the schema is invalid. The message contains the invalid part
 */
export async function compileCustomClaims(schema: object | undefined): Promise<CheckCustomClaims> {
  if (schema === undefined) return anyClaims
  try {
    return await compile(schema)
  } catch (thrown) {
    if (thrown instanceof InvalidOptionError) throw thrown
    const error = new InvalidOptionError(`option \`claims\` is not a JSON Schema: ${messageOf(thrown)}`)
    throw Object.defineProperty(error, 'cause', { value: thrown, enumerable: false })
  }
}

async function compile(schema: object): Promise<CheckCustomClaims> {
  const problem = structureProblem(schema)
  if (problem !== undefined) throw new InvalidOptionError(`option \`claims\` is invalid: ${problem}`)
  await refuseMistakes(schema)
  const { Compile } = await import('typebox/compile')
  const validator = Compile(schema)
  return claims =>
    validator.Check(claims)
      ? undefined
      : new Refusal(
          'claim',
          `the claims do not match the schema in the claims option: ${firstOf(validator.Errors(claims))}`,
        )
}

/**
 * Rejects schemas with unknown keywords. JSON Schema ignores unknown keywords, so a misspelt keyword would restrict
 * nothing. `$dynamicAnchor` makes the strict metaschema apply to all subschemas (JSON Schema 2020-12, Core §8.2.3.2).
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
    // TypeBox ignores unknown formats, so formats that TypeBox does not define are rejected.
    properties: { format: { enum: Entries().map(([name]) => name) } },
    // Keywords that begin with `~` are allowed, because TypeBox and Zod store internal data under such keywords.
    patternProperties: { '^~': true },
    unevaluatedProperties: false,
  }
  const metaschema = Compile({ [draft]: Meta[draft] }, strict)
  if (!metaschema.Check(schema))
    throw new InvalidOptionError(
      `option \`claims\` is not a JSON Schema (draft 2020-12): ${firstOf(metaschema.Errors(schema)[1])}`,
    )
}

/** Formats the first validation error. Error messages from TypeBox contain no claim values. */
function firstOf(errors: readonly { instancePath: string; message: string; params: object }[]): string {
  const [error] = errors
  if (error === undefined) return 'the value does not match the schema'
  const { unevaluatedProperties: unknown } = error.params as { unevaluatedProperties?: readonly string[] }
  const what = unknown === undefined ? error.message : `has unknown keywords: ${unknown.join(', ')}`
  return `${error.instancePath} ${what}`.trim().slice(0, 200)
}
