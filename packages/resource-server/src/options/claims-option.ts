import { isObject, parser, type Parser } from 'declared-options'

/** Keywords that restrict an object. A schema without any of them would accept every token. */
const restricting =
  /^(?:type|const|enum|\$(?:dynamicR|r)ef|(?:all|any|one)Of|not|if|required|dependent\w+|propertyNames|\w*[pP]roperties)$/

/**
 * Parses a JSON Schema for the claims; `compileCustomClaims` checks its details. A Standard Schema is not a JSON
 * Schema. The JSON Schemas of Zod have both `$schema` and `~standard`.
 */
export const claimsOption: Parser<object> = parser({
  expected:
    'a JSON Schema, such as Type.Object({ tenant: Type.String() }) of TypeBox or z.toJSONSchema(…) of Zod',
  fromText: true,
  read: value =>
    isObject(value) &&
    ('$schema' in value || !('~standard' in value)) &&
    Object.keys(value).some(keyword => restricting.test(keyword))
      ? value
      : undefined,
})
