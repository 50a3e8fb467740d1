import { InvalidContractError } from './errors.js'
import type { Operations } from './operation.js'

type Members = Readonly<Record<string, unknown>>

/** What must not go unnoticed in JavaScript, and what the compiler cannot see. */
export function checkDefinition(definition: unknown): void {
  const contract = membersOf('the contract', definition, ['audience', 'scopes', 'operations'])
  const catalogue = namesOf(contract['scopes'])
  for (const scope of catalogue)
    // RFC 6749 §3.3
    expect(/^[!#-[\]-~]+$/.test(scope), 'a scope', scope, 'text without spaces and quotes')
  for (const [name, operation] of Object.entries(contract['operations'] as object))
    checkOperation(name, operation, catalogue)
}

function checkOperation(name: string, operation: unknown, catalogue: readonly string[]): void {
  const required = ['method', 'path', 'scopes', 'responses']
  const optional = ['params', 'query', 'body', 'summary']
  const { path, scopes, params } = membersOf(name, operation, required, optional)
  expect(scopes === 'public' || Array.isArray(scopes), `${name}: scopes`, scopes, `a list, or 'public'`)
  for (const scope of scopes === 'public' ? [] : (scopes as string[]))
    expect(
      catalogue.includes(scope),
      `${name}: scope`,
      scope,
      `one of the catalogue: ${catalogue.join(', ')}`,
    )
  expect(
    /^(\/(:\w+|[^/:*?#(){}%\\\s]*))+$/.test(String(path)),
    `${name}: path`,
    path,
    'segments such as /receipts/:paymentId',
  )
  const inPath = [...String(path).matchAll(/:(\w+)/g)].map(([, parameter = '']) => parameter).sort()
  const inParams = namesOf((params as { properties?: unknown } | undefined)?.properties).sort()
  expect(
    String(inParams) === String(inPath),
    `${name}: params`,
    inParams,
    `the path's parameters: ${inPath.join(', ')}`,
  )
}

/** @throws {InvalidContractError} if there is no such operation */
export function find<O extends Operations, Name extends keyof O & string>(
  operations: O,
  name: Name,
): O[Name] {
  if (Object.hasOwn(operations, name)) return operations[name]
  throw new InvalidContractError('operation', name, namesOf(operations).join(', '))
}

function membersOf(where: string, value: unknown, required: string[], optional: string[] = []): Members {
  const known = [...required, ...optional]
  for (const name of namesOf(value))
    expect(known.includes(name), `${where}: a member`, name, known.join(', '))
  // A misspelt variable must not switch validation off.
  for (const name of [...required, ...namesOf(value)])
    expect((value as Members)?.[name] !== undefined, `${where}: ${name}`, undefined, 'a value')
  return value as Members
}

const namesOf = (value: unknown): string[] => Object.keys(value ?? {})

function expect(isRight: boolean, where: string, value: unknown, expected: string): void {
  if (!isRight) throw new InvalidContractError(where, value, expected)
}
