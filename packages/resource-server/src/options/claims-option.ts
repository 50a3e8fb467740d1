import { isObject, parser, type Parser } from 'declared-options'

/** Matches JSON Schema keywords that restrict an object. A schema without such a keyword would accept every token. */
const restricting =
  /^(?:type|const|enum|\$(?:dynamicR|r)ef|(?:all|any|one)Of|not|if|required|dependent\w+|propertyNames|\w*[pP]roperties)$/

/**
 * Parses a JSON Schema for the claims. `compileCustomClaims` later checks the schema in detail. An object that has
 * `~standard` but not `$schema` is a Standard Schema instead of a JSON Schema, so it is rejected.
 */
export const claimsOption: Parser<object> = parser({
  expected:
    'a JSON Schema, such as Type.Object({ tenant: Type.String() }) from TypeBox or z.toJSONSchema(…) from Zod',
  fromText: true,
  read: value =>
    isObject(value) &&
    ('$schema' in value || !('~standard' in value)) &&
    Object.keys(value).some(keyword => restricting.test(keyword))
      ? value
      : undefined,
})
