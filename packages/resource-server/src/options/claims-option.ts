import { isObject, parser, type Parser } from 'declared-options'

/** Keywords that say something about an object; a schema without any would accept every token. */
const keywords = (
  'type const enum $ref $dynamicRef allOf anyOf oneOf not if required properties patternProperties ' +
  'additionalProperties unevaluatedProperties propertyNames minProperties maxProperties dependentRequired dependentSchemas'
).split(' ')

/**
 * A JSON Schema for the claims, all of which `compileCustomClaims` checks. Standard Schemas are not JSON Schemas; those
 * that Zod makes of its own have both `$schema` and `~standard`.
 */
export const claimsOption: Parser<object> = parser({
  expected:
    'a JSON Schema, such as Type.Object({ tenant: Type.String() }) of TypeBox or z.toJSONSchema(…) of Zod',
  fromText: true,
  read: value =>
    isObject(value) &&
    ('$schema' in value || !('~standard' in value)) &&
    keywords.some(keyword => Object.hasOwn(value, keyword))
      ? value
      : undefined,
})
