import { parse } from 'yaml'
import { OpenApiError } from './errors.js'
import { isObject, type Json, type JsonObject } from './json.js'

/**
 * The maximum nesting depth of objects and lists. Recursive functions process the document, so deeper nesting could overflow
 * the call stack.
 */
const maxLevels = 500

/** An OpenAPI document, with functions that resolve its local references. */
export interface OpenApiDocument {
  readonly root: JsonObject
  /**
   * Follows a reference, or a chain of references, to the final value. Returns other values unchanged.
   * @throws {OpenApiError} if a reference is invalid
   */
  readonly resolve: (value: Json | undefined) => Json | undefined
  /** Returns the value that a reference points to. @throws {OpenApiError} if the reference is invalid */
  readonly at: (ref: string) => Json | undefined
}

/**
 * Reads an OpenAPI 3.0, 3.1 or 3.2 document in JSON or YAML. References to other files or URLs are never followed.
 * @throws {OpenApiError} if the document is invalid
 */
export function readDocument(text: string): OpenApiDocument {
  const root = parseText(text)
  if (!isObject(root))
    throw new OpenApiError(`The document is ${shown(root)}; expected an OpenAPI document in JSON or YAML.`)
  refuseDeep(root)
  const { openapi, swagger, paths } = root
  if (swagger !== undefined)
    throw new OpenApiError(
      `The document uses Swagger ${shown(swagger)}; expected OpenAPI 3. Convert the document first, for example with swagger2openapi.`,
    )
  if (typeof openapi !== 'string' || !/^3\.[012](\.|$)/.test(openapi))
    throw new OpenApiError(`The document's \`openapi\` is ${shown(openapi)}; expected 3.0, 3.1 or 3.2.`)
  if (paths !== undefined && !isObject(paths))
    throw new OpenApiError(`The document's \`paths\` are ${shown(paths)}; expected an object.`)
  return {
    root,
    at: ref => pointed(root, ref),
    resolve(value) {
      const seen = new Set<string>()
      let found = value
      while (isObject(found) && typeof found['$ref'] === 'string') {
        const ref = found['$ref']
        if (seen.has(ref)) throw new OpenApiError(`The reference ${shown(ref)} refers to itself.`)
        seen.add(ref)
        found = pointed(root, ref)
      }
      return found
    },
  }
}

function refuseDeep(root: JsonObject): void {
  let level: ReadonlySet<unknown> = new Set([root])
  for (let depth = 1; level.size > 0; depth += 1) {
    if (depth > maxLevels) throw tooDeep()
    const members = [...level].flatMap(value => Object.values(value as object) as unknown[])
    level = new Set(members.filter(value => typeof value === 'object' && value !== null))
  }
}

function tooDeep(): OpenApiError {
  return new OpenApiError(
    `The document has more than ${maxLevels} levels of nested objects and lists; move inner schemas to components/schemas and refer to them.`,
  )
}

function parseText(text: string): Json {
  if (typeof text !== 'string')
    throw new OpenApiError(
      `The document is of type ${typeof text}; expected a string with an OpenAPI document.`,
    )
  try {
    // Uses JSON.parse if possible, because JSON.parse is much faster than the YAML parser. Removes the byte order mark, because JSON.parse rejects it.
    const content = text.replace(/^\uFEFF/, '')
    return (/^\s*\{/.test(content) ? parseEither(content) : parseYaml(content)) as Json
  } catch (error) {
    if (/call stack/.test((error as Error).message)) throw tooDeep()
    throw new OpenApiError(`The document is neither valid JSON nor valid YAML: ${(error as Error).message}`)
  }
}

/** Parses YAML with merge keys (`<<`). YAML 1.2 removed merge keys, but many documents still use them. */
function parseYaml(text: string): unknown {
  return parse(text, { merge: true })
}

/**
 * Parses text that starts with a brace. Such text is JSON, or YAML in flow style. If both parsers fail, throws the JSON
 * parser's error.
 */
function parseEither(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    try {
      return parseYaml(text)
    } catch {
      throw error
    }
  }
}

/** Evaluates a JSON Pointer in a URI fragment (RFC 6901 §6). */
function pointed(root: JsonObject, ref: string): Json | undefined {
  if (ref !== '#' && !ref.startsWith('#/'))
    throw new OpenApiError(
      `The reference ${shown(ref)} points outside the document; bundle the document first, for example with @redocly/cli bundle.`,
    )
  let value: Json | undefined = root
  for (const step of ref.split('/').slice(1)) {
    const name = decodeStep(step)
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? (value as JsonObject)[name]
        : undefined
  }
  if (value === undefined)
    throw new OpenApiError(`The target of the reference ${shown(ref)} does not exist in the document.`)
  return value
}

/** Decodes one segment of a JSON Pointer (RFC 6901 §4, §6). */
export function decodeStep(step: string): string {
  let name = step
  try {
    name = decodeURIComponent(step)
  } catch {
    // If the percent-encoding is invalid, the segment is not percent-decoded.
  }
  return name.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** Formats a value as JSON for an error message. The cast is needed because JSON.stringify returns undefined for undefined. */
const shown = (value: Json | undefined): string =>
  (JSON.stringify(value) as string | undefined)?.slice(0, 200) ?? 'undefined'
