import { createComponents } from './components.js'
import { readDocument, type OpenApiDocument } from './document.js'
import { OpenApiError } from './errors.js'
import { isObject, listOf, membersOf, textOf } from './json.js'
import { toCamelCase, uniqueNames } from './naming.js'
import { readOperations, type OperationResult } from './operations.js'
import { checkOptions, usualStatuses, type FromOpenApiOptions } from './options.js'
import { comment, object, print, property, quote } from './print.js'
import { readSecurity } from './security.js'

/** A generated contract. */
export interface GeneratedContract {
  /** TypeScript: a module that exports the contract, its schemas and their types. */
  readonly code: string
  /** What the contract does not say as the document does, one line each. */
  readonly notes: readonly string[]
}

/**
 * Generates a contract from an OpenAPI document, 3.0 to 3.2, as JSON or YAML. The same document gives the same text.
 * References to other files or addresses are not followed.
 * @throws {OpenApiError} if the document cannot be read, or an option is wrong
 */
export function contractFromOpenApi(text: string, options: FromOpenApiOptions): GeneratedContract {
  checkOptions(options)
  const document = readDocument(text)
  const name = contractName(options.name, document)
  const notes = new Set<string>()
  const components = createComponents(document, [name], line => void notes.add(line))
  const security = readSecurity(document)
  const { defaultStatuses = usualStatuses } = options
  const operations = readOperations({ document, components, security, defaultStatuses })
  const statements = components.statements()
  for (const operation of operations) for (const line of deviationsOf(operation)) notes.add(line)

  const { audience, note } = audienceOf(options.audience, document)
  const catalogue = [...security.catalogue()].sort(([a], [b]) => (a < b ? -1 : 1))
  const definition = [
    `export const ${name} = defineApi({`,
    `  audience: ${quote(audience)},${note === undefined ? '' : ` ${comment(note)}`}`,
    `  scopes: ${print(object(catalogue.map(([scope, meaning]) => [scope, quote(oneLine(meaning))])), 2, 8)},`,
    ...operationLines(operations),
    '})',
  ]
  const body = [...statements, definition.join('\n')].join('\n\n')
  return { code: `${header(options.source, document, body)}\n\n${body}\n`, notes: [...notes] }
}

function header(source: string, { root }: OpenApiDocument, body: string): string {
  const info = isObject(root['info']) ? root['info'] : {}
  const title = [textOf(info['title']), textOf(info['version'])].filter(Boolean).join(' ')
  const needs = ['Type', 'Static'].filter(used => new RegExp(`\\b${used}[.<]`).test(body))
  const imports = needs.map(used => (used === 'Static' ? 'type Static' : used))
  return [
    comment(
      `Generated from ${source}${title === '' ? '' : ` (${title})`} by fastify-api-contract-tools from-openapi.`,
    ),
    comment('Do not edit: generate it again.'),
    `import { defineApi } from 'fastify-api-contract'`,
    ...(imports.length === 0 ? [] : [`import { ${imports.join(', ')} } from 'typebox'`]),
  ].join('\n')
}

function operationLines(operations: readonly OperationResult[]): string[] {
  const lines: string[] = []
  for (const operation of operations) {
    for (const line of deviationsOf(operation)) lines.push(`    ${comment(line)}`)
    if (!('code' in operation)) continue
    const { name, headers, code } = operation
    if (headers.length > 0) lines.push(`    ${comment(`Headers: ${headers.join(', ')}`)}`)
    lines.push(`    ${print(property(name, code), 4, 0)},`)
  }
  return lines.length === 0 ? ['  operations: {},'] : ['  operations: {', ...lines, '  },']
}

function deviationsOf(operation: OperationResult): string[] {
  if (!('code' in operation)) return [`${operation.name} is left out: ${operation.reason}.`]
  return operation.notes.map(line => `${operation.name}: ${line}.`)
}

function contractName(given: string | undefined, { root }: OpenApiDocument): string {
  if (given !== undefined) {
    const [name] = uniqueNames([given]).values()
    if (name !== given)
      throw new OpenApiError(
        `The name is ${JSON.stringify(given)}; expected an identifier such as receiptsApi.`,
      )
    return given
  }
  const title = textOf(isObject(root['info']) ? root['info']['title'] : undefined) ?? ''
  const words = toCamelCase(title.replace(/[^A-Za-z0-9]*\bapi\b[^A-Za-z0-9]*$/i, ''))
  const [name = 'api'] = uniqueNames([words === '' ? 'api' : `${words}Api`]).values()
  return name
}

function audienceOf(
  given: string | undefined,
  { root }: OpenApiDocument,
): { audience: string; note?: string } {
  if (given !== undefined) {
    if (given.trim() === '')
      throw new OpenApiError('The audience is empty; expected the audience of tokens for the API.')
    return { audience: given }
  }
  const [server] = listOf(root['servers'])
  const url = isObject(server) ? serverUrl(textOf(server['url']), server['variables']) : undefined
  if (url === undefined || url.includes('{') || !URL.canParse(url))
    throw new OpenApiError(
      'The document has no server with an absolute URL, so the audience of tokens is unknown; expected an audience, such as --audience https://receipts.example.com.',
    )
  return { audience: url, note: 'The URL of the first server; --audience sets another one.' }
}

function serverUrl(url: string | undefined, variables: Parameters<typeof membersOf>[0]): string | undefined {
  const defaults = new Map(
    membersOf(variables).map(([name, variable]) => [
      name,
      isObject(variable) ? textOf(variable['default']) : undefined,
    ]),
  )
  return url?.replaceAll(/\{([^{}]+)\}/g, (whole, name: string) => defaults.get(name) ?? whole)
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
