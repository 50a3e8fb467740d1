import { InvalidContractError } from './errors.js'
import type { Operation, Operations } from './operation.js'

type Rules = Readonly<Record<string, readonly [isRight: (value: unknown) => boolean, expected: string]>>
type Members = Readonly<Record<string, unknown>>

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
// Returns whether a value is an object, but not an array, a Map or a Promise.
const isObject = (value: unknown): value is Members =>
  Object.prototype.toString.call(value) === '[object Object]'
const objectSchema = [
  (value: unknown) => isObject(value) && isObject(value['properties']),
  'the schema of an object',
] as const
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

const contractRules: Rules = {
  audience: [isText, 'text'],
  scopes: [isObject, 'an object such as { scope: description }'],
  operations: [isObject, 'an object such as { name: operation }'],
}
const optional = new Set(['params', 'query', 'body', 'summary'])
const operationRules: Rules = {
  method: [value => methods.includes(value as string), methods.join(', ')],
  path: [
    value => typeof value === 'string' && /^(\/(:\w+|[^/:*?#(){}%\\\s]*))+$/.test(value),
    'a path such as /receipts/:paymentId',
  ],
  scopes: [value => value === 'public' || Array.isArray(value), `a list, or 'public'`],
  responses: [value => isObject(value) && Object.keys(value).length > 0, 'an object such as { 200: schema }'],
  params: objectSchema,
  query: objectSchema,
  body: [isObject, 'a schema'],
  summary: [isText, 'text'],
}

/**
 * Validates an API contract at startup. The TypeScript types express the same rules, but do not protect JavaScript code
 * or values of type `any`.
 */
export function checkDefinition(definition: unknown): void {
  checkMembers('the contract', definition, contractRules)
  const { scopes, operations } = definition as { scopes: Members; operations: Operations }
  for (const [scope, description] of Object.entries(scopes))
    // RFC 6749 §3.3
    expect(
      /^[!#-[\]-~]+$/.test(scope) && isText(description),
      'a scope',
      { [scope]: description },
      'a name without spaces or quotes, and a description',
    )
  const routes = new Set<string>()
  for (const [name, operation] of Object.entries(operations)) {
    checkMembers(name, operation, operationRules)
    checkOperation(name, operation, Object.keys(scopes))
    const route = `${operation.method} ${operation.path.replaceAll(/:\w+/g, ':')}`
    expect(!routes.has(route), name, route, 'a method and path that no other operation uses')
    routes.add(route)
  }
}

function checkOperation(
  name: string,
  { method, path, scopes, params, body, responses }: Operation,
  catalogue: readonly string[],
): void {
  for (const scope of scopes === 'public' ? [] : scopes)
    expect(
      catalogue.includes(scope),
      `${name}: scope`,
      scope,
      `one of the declared scopes: ${catalogue.join(', ')}`,
    )
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, parameter = '']) => parameter).sort()
  const inParams = Object.keys(params?.properties ?? {}).sort()
  expect(
    String(inParams) === String(inPath),
    `${name}: params`,
    inParams,
    `the path parameters: ${inPath.join(', ')}`,
  )
  expect(method !== 'GET' || !body, `${name}: body`, body, 'no body for GET')
  for (const [status, schema] of Object.entries(responses))
    expect(
      /^[2-5]\d\d$/.test(status) && (schema === null || isObject(schema)),
      `${name}: a response`,
      { [status]: schema },
      'a status code from 200 to 599 with a schema or null',
    )
}

/** Rejects unknown properties and undefined values, because an undefined schema would disable validation. */
function checkMembers(where: string, value: unknown, rules: Rules): void {
  if (!isObject(value)) return expect(false, where, value, 'an object')
  for (const name of Object.keys(value))
    expect(Object.hasOwn(rules, name), `${where}: a member`, name, Object.keys(rules).join(', '))
  for (const [name, [isRight, expected]] of Object.entries(rules))
    if (name in value || !optional.has(name))
      expect(isRight(value[name]), `${where}: ${name}`, value[name], expected)
}

/** Returns an operation by name. @throws {InvalidContractError} if the operation does not exist */
export function find<O extends Operations, Name extends keyof O & string>(
  operations: O,
  name: Name,
): O[Name] {
  expect(Object.hasOwn(operations, name), 'operation', name, Object.keys(operations).join(', '))
  return operations[name]
}

/** @throws {InvalidContractError} */
export function expect(isRight: boolean, where: string, value: unknown, expected: string): void {
  if (!isRight) throw new InvalidContractError(where, value, expected)
}
