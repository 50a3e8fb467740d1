import { isObject, listOf, membersOf, textOf, type Json, type JsonObject } from './json.js'
import { call, list, object, quote, type Code } from './print.js'

/** What {@link schemaCode} needs besides the schema itself. */
export interface SchemaContext {
  /** Returns the code that replaces a `$ref`. */
  readonly reference: (ref: string) => Code
  /** Reports a difference between the document and the contract to the user. */
  readonly note: (text: string) => void
}

// The list omits `default`: in a union, Fastify's validator rejects it, and elsewhere, the validator would set properties that the caller left out.
const annotations: readonly string[] = ['title', 'description', 'deprecated', 'readOnly', 'writeOnly']
/** The formats that Fastify's validator supports. The validator rejects schemas with other formats. */
const formats = new Set(
  `byte binary date date-time double duration email float hostname int32 int64 ipv4 ipv6 iso-date-time iso-time
  json-pointer json-pointer-uri-fragment password regex relative-json-pointer time uri uri-reference uri-template url
  uuid`.split(/\s+/),
)

const unknown = 'Type.Unknown()'

/** Converts a schema from JSON Schema 2020-12 or OpenAPI 3.0 to TypeBox code. */
export function schemaCode(schema: Json | undefined, context: SchemaContext): Code {
  if (schema === false) return 'Type.Never()'
  if (!isObject(schema)) return unknown
  const { nullable, ...rest } = schema
  // OpenAPI 3.0
  if (nullable === true) return union([schemaCode(withoutNull(rest), context), 'Type.Null()'])
  const parts = partsOf(rest, context)
  if (parts.length > 1) return call('Type.Intersect', list(parts))
  return parts[0] ?? ownCode(rest, context)
}

function withoutNull(schema: JsonObject): JsonObject {
  return Array.isArray(schema['enum'])
    ? { ...schema, enum: (schema['enum'] as Json[]).filter(value => value !== null) }
    : schema
}

/** Splits a schema into parts. A value is valid if it matches all parts. */
function partsOf(schema: JsonObject, context: SchemaContext): Code[] {
  const { $ref, allOf, anyOf, oneOf, ...own } = schema
  const parts: Code[] = []
  if (typeof $ref === 'string') parts.push(context.reference($ref))
  for (const part of listOf(allOf)) if (isConstraint(part)) parts.push(schemaCode(part, context))
  for (const choice of [anyOf, oneOf])
    if (listOf(choice).length > 0)
      parts.push(
        union(
          listOf(choice).map(part => schemaCode(part, context)),
          parts.length === 0 ? optionsOf(own, [], context) : undefined,
        ),
      )
  // Next to `anyOf` or `oneOf`, a lone `type` is ignored, because it only repeats the type of the alternatives.
  const names = Object.keys(own).filter(name => constraints.has(name))
  if (names.length > 0 && (parts.length === 0 || names.some(name => name !== 'type')))
    parts.push(ownCode(own, context))
  return parts
}

/** Returns false for a schema that only adds annotations, such as the second member of `allOf: [{ $ref }, { description }]`. */
function isConstraint(schema: Json): boolean {
  if (!isObject(schema) || schema['nullable'] === true) return true
  return Object.keys(schema).some(name => constraints.has(name) || combining.has(name))
}

const combining = new Set(['$ref', 'allOf', 'anyOf', 'oneOf'])
const constraints = new Set([
  'type',
  'enum',
  'const',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'prefixItems',
])

function union(parts: readonly Code[], options?: Code): Code {
  const [first] = parts
  if (parts.length === 1 && first !== undefined) return first
  return call('Type.Union', list(parts), ...(options === undefined ? [] : [options]))
}

function ownCode(schema: JsonObject, context: SchemaContext): Code {
  if (schema['const'] !== undefined) return literal(schema['const'])
  if (Array.isArray(schema['enum'])) return enumCode(schema['enum'] as Json[], optionsOf(schema, [], context))
  const { type } = schema
  if (Array.isArray(type) && type.length > 1) {
    const bare = withoutAnnotations(schema)
    return union(
      (type as Json[]).map(one => typedCode(one, bare, context)),
      optionsOf(schema, [], context),
    )
  }
  if (Array.isArray(type)) return typedCode((type as Json[])[0], schema, context)
  return typedCode(type ?? impliedType(schema), schema, context)
}

/**
 * Removes annotations such as `description` from the members of a union, because the union itself already has these
 * annotations.
 */
function withoutAnnotations(schema: JsonObject): JsonObject {
  const others = Object.entries(schema).filter(([name]) => !annotations.includes(name))
  return Object.fromEntries(others)
}

function impliedType(schema: JsonObject): Json | undefined {
  if (['properties', 'required', 'additionalProperties'].some(name => schema[name] !== undefined))
    return 'object'
  return schema['items'] === undefined && schema['prefixItems'] === undefined ? undefined : 'array'
}

const ranges = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'] as const
/** Maps each scalar type of JSON Schema to its TypeBox function and to the keywords that can constrain the type. */
const scalars: Readonly<Record<string, readonly [name: string, keywords: readonly string[]]>> = {
  string: ['Type.String', ['minLength', 'maxLength', 'pattern', 'format']],
  number: ['Type.Number', [...ranges, 'format']],
  integer: ['Type.Integer', [...ranges, 'format']],
  boolean: ['Type.Boolean', []],
  null: ['Type.Null', []],
}

function typedCode(type: Json | undefined, schema: JsonObject, context: SchemaContext): Code {
  if (type === 'object') return objectCode(schema, context)
  if (type === 'array') return arrayCode(schema, context)
  const scalar = typeof type === 'string' && Object.hasOwn(scalars, type) ? scalars[type] : undefined
  const [name, keywords] = scalar ?? ['Type.Unknown', []]
  return withOptions(name, [], optionsOf(schema, keywords, context))
}

function withOptions(name: string, args: readonly Code[], options: Code | undefined): Code {
  return call(name, ...args, ...(options === undefined ? [] : [options]))
}

function objectCode(schema: JsonObject, context: SchemaContext): Code {
  const { additionalProperties } = schema
  const required = new Set(listOf(schema['required']).filter(name => typeof name === 'string'))
  const properties = new Map<string, Json>(membersOf(schema['properties']))
  for (const name of required) if (!properties.has(name)) properties.set(name, {})
  const options = (more: readonly (readonly [string, Code])[]): Code | undefined =>
    optionsOf(schema, ['minProperties', 'maxProperties'], context, more)
  if (properties.size === 0 && additionalProperties !== false)
    return withOptions(
      'Type.Record',
      ['Type.String()', schemaCode(additionalProperties, context)],
      options([]),
    )
  const members = [...properties].map(([name, property]): [string, Code] => {
    const code = schemaCode(property, context)
    return [name, required.has(name) ? code : call('Type.Optional', code)]
  })
  const more: [string, Code][] =
    additionalProperties === undefined
      ? []
      : typeof additionalProperties === 'boolean'
        ? [['additionalProperties', String(additionalProperties)]]
        : [['additionalProperties', schemaCode(additionalProperties, context)]]
  return withOptions('Type.Object', [object(members)], options(more))
}

function arrayCode(schema: JsonObject, context: SchemaContext): Code {
  const { prefixItems, items } = schema
  if (Array.isArray(prefixItems) && (items === false || schema['maxItems'] === prefixItems.length))
    return withOptions(
      'Type.Tuple',
      [list((prefixItems as Json[]).map(item => schemaCode(item, context)))],
      optionsOf(schema, [], context),
    )
  const item = prefixItems === undefined ? schemaCode(items, context) : unknown
  return withOptions(
    'Type.Array',
    [item],
    optionsOf(schema, ['minItems', 'maxItems', 'uniqueItems'], context),
  )
}

function enumCode(values: readonly Json[], options: Code | undefined): Code {
  const unique = [...new Set(values)]
  if (unique.length === 0) return 'Type.Never()'
  if (unique.length > 1 && unique.every(value => typeof value === 'string' || typeof value === 'number'))
    return withOptions('Type.Enum', [list(unique.map(literalValue))], options)
  return union(unique.map(literal), options)
}

function literal(value: Json): Code {
  if (value === null) return 'Type.Null()'
  return typeof value === 'object' || !isPrintable(value)
    ? unknown
    : call('Type.Literal', literalValue(value))
}

const isPrintable = (value: Json): boolean => typeof value !== 'number' || Number.isFinite(value)

/**
 * Formats a JSON value as code. Replaces NaN and Infinity with null, because YAML allows these numbers but JSON does
 * not.
 */
function literalValue(value: Json): Code {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return list((value as Json[]).map(literalValue))
  if (isObject(value)) return object(membersOf(value).map(([name, member]) => [name, literalValue(member)]))
  return isPrintable(value) ? JSON.stringify(value) : 'null'
}

/** Returns the options to pass to a TypeBox function: the annotations, and the keywords that apply to the type. */
function optionsOf(
  schema: JsonObject,
  keywords: readonly string[],
  { note }: SchemaContext,
  more: readonly (readonly [string, Code])[] = [],
): Code | undefined {
  const members: (readonly [string, Code])[] = []
  for (const name of [...annotations, ...keywords]) {
    const value = keywordValue(name, schema, note)
    if (value !== undefined) members.push([name, literalValue(value)])
  }
  members.push(...more)
  return members.length === 0 ? undefined : object(members)
}

/** Returns the value of a JSON Schema keyword, or undefined if the keyword is missing or its value is not supported. */
function keywordValue(name: string, schema: JsonObject, note: SchemaContext['note']): Json | undefined {
  const value = schema[name]
  if (name === 'description' || name === 'title') return textOf(value)
  if (flags.has(name)) return value === true ? true : undefined
  if (name === 'format') return typeof value === 'string' && formats.has(value) ? value : undefined
  if (name === 'pattern') return typeof value === 'string' && isPattern(value, note) ? value : undefined
  return boundOf(name, schema)
}

const flags = new Set(['deprecated', 'readOnly', 'writeOnly', 'uniqueItems'])

/**
 * Returns the value of a numeric keyword such as `minimum`. Converts `exclusiveMinimum: true` from OpenAPI 3.0, which
 * makes `minimum` exclusive, to a number.
 */
function boundOf(name: string, schema: JsonObject): number | undefined {
  const isExclusive = (bound: string): boolean =>
    schema[`exclusive${bound[0]?.toUpperCase()}${bound.slice(1)}`] === true
  if (name === 'exclusiveMinimum' && isExclusive('minimum')) return numberOf(schema['minimum'])
  if (name === 'exclusiveMaximum' && isExclusive('maximum')) return numberOf(schema['maximum'])
  return isExclusive(name) ? undefined : numberOf(schema[name])
}

function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function isPattern(pattern: string, note: SchemaContext['note']): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    note(`the pattern ${quote(pattern)} is omitted, because it is not a valid JavaScript regular expression`)
    return false
  }
}
