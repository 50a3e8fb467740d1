import { isObject, wrong, type Given } from './read-option.js'

/** What a JSON Schema says of an object; one that has nothing of it would take every token. */
const keywords = (
  'type const enum $ref $dynamicRef allOf anyOf oneOf not if required properties patternProperties ' +
  'additionalProperties unevaluatedProperties propertyNames minProperties maxProperties dependentRequired dependentSchemas'
).split(' ')

/** The schema for the claims, if given. @throws {InvalidOptionError} */
export function claimsSchema({ claims }: Given): object | undefined {
  if (claims === undefined) return undefined
  // Schemas of other libraries (Standard Schema) look like one, and say nothing in its words.
  if (
    isObject(claims) &&
    !('~standard' in claims) &&
    keywords.some(keyword => Object.hasOwn(claims, keyword))
  )
    return claims
  throw wrong(
    'claims',
    claims,
    'a JSON Schema, such as Type.Object({ tenant: Type.String() }) of TypeBox or z.toJSONSchema(…) of Zod',
  )
}
