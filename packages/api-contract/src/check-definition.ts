import { InvalidContractError } from './errors.js'

const required = ['method', 'path', 'scopes', 'responses']
const members = [...required, 'params', 'query', 'body', 'summary']
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
/** RFC 6749 §3.3 */
const scopeToken = /^[!#-[\]-~]+$/
const segments = /^(\/(:\w+|[^/:*?#(){}%\\\s]*))+$/

type Members = Readonly<Record<string, unknown>>

/** What the compiler checks, for JavaScript and for values that it could not see. */
export function checkDefinition(definition: object): void {
  const all = ['audience', 'scopes', 'operations']
  const { audience, scopes, operations } = membersOf('the contract', definition, all, all)
  expect(typeof audience === 'string' && audience !== '', 'audience', audience, 'text')
  const catalogue = Object.entries(objectAt('scopes', scopes))
  for (const [scope, description] of catalogue) {
    expect(scopeToken.test(scope), 'scopes: a name', scope, 'text without spaces and quotes')
    expect(typeof description === 'string', `scopes: ${scope}`, description, 'its description')
  }
  const seen = new Map<string, string>()
  for (const [name, operation] of Object.entries(objectAt('operations', operations))) {
    const route = checkOperation(
      name,
      operation,
      catalogue.map(([scope]) => scope),
    )
    expect(!seen.has(route), `${name}: method and path`, route, `another, since ${seen.get(route)} has it`)
    seen.set(route, name)
  }
}

/** Returns what must be unique. */
function checkOperation(name: string, operation: unknown, catalogue: readonly string[]): string {
  const given = membersOf(name, operation, members, required)
  const { method, path, scopes, params, query, body, responses } = given
  const check = (isRight: boolean, member: string, value: unknown, expected: string): void =>
    expect(isRight, `${name}: ${member}`, value, expected)
  check(methods.includes(method as string), 'method', method, methods.join(', '))
  check(
    typeof path === 'string' && segments.test(path),
    'path',
    path,
    'segments such as /receipts/:paymentId',
  )
  check(scopes === 'public' || Array.isArray(scopes), 'scopes', scopes, `a list, or 'public'`)
  for (const scope of scopes === 'public' ? [] : (scopes as unknown[]))
    check(
      catalogue.includes(scope as string),
      'scope',
      scope,
      `one of the catalogue: ${catalogue.join(', ')}`,
    )
  const inPath = [...(path as string).matchAll(/:(\w+)/g)].map(([, parameter = '']) => parameter).sort()
  const inParams = Object.keys(params === undefined ? {} : propertiesOf(`${name}: params`, params)).sort()
  check(
    String(inParams) === String(inPath),
    'params',
    inParams,
    `the path's parameters: ${inPath.join(', ')}`,
  )
  if (query !== undefined) propertiesOf(`${name}: query`, query)
  if (body !== undefined) objectAt(`${name}: body`, body)
  check(method !== 'GET' || body === undefined, 'body', body, 'none for a GET')
  const answers = Object.entries(objectAt(`${name}: responses`, responses))
  check(answers.length > 0, 'responses', responses, 'at least one')
  for (const [status, schema] of answers) {
    check(/^[2-5]\d\d$/.test(status), 'a status', status, '200 to 599')
    if (schema !== null) objectAt(`${name}: responses[${status}]`, schema)
  }
  return `${method as string} ${(path as string).replaceAll(/:\w+/g, ':')}`
}

function membersOf(where: string, value: unknown, known: string[], needed: string[]): Members {
  const object = objectAt(where, value)
  for (const name of Object.keys(object)) {
    expect(known.includes(name), `${where}: a member`, name, known.join(', '))
    // A misspelt variable must not switch validation off.
    expect(object[name] !== undefined, `${where}: ${name}`, undefined, 'a value')
  }
  for (const name of needed) expect(name in object, `${where}: ${name}`, undefined, 'a value')
  return object
}

function propertiesOf(where: string, schema: unknown): Members {
  return objectAt(`${where}.properties`, objectAt(where, schema)['properties'])
}

function objectAt(where: string, value: unknown): Members {
  expect(typeof value === 'object' && value !== null && !Array.isArray(value), where, value, 'an object')
  return value as Members
}

function expect(isRight: boolean, where: string, value: unknown, expected: string): void {
  if (isRight) return
  const shown = typeof value === 'function' ? 'a function' : JSON.stringify(value)
  throw new InvalidContractError(`API contract: ${where} is ${shown}; expected ${expected}`)
}
