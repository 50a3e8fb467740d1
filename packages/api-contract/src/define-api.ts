import { callOver, type Calls, type Client, type ClientOf } from './call.js'
import { checkDefinition, find } from './check-definition.js'
import type { Checked, Operations, Summary } from './operation.js'
import { requireRoutes, routeFor, type Application, type Handler, type Route } from './route.js'

export interface Api<Scope extends string = string, O extends Operations = Operations> {
  readonly audience: string
  readonly scopes: Readonly<Record<Scope, string>>
  readonly operations: O
  /** Creates the route options to pass to `app.route`. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- editors show this parameter as a summary of the operation
  route<Name extends keyof O & string, _Shown extends string = Summary<O[Name]>>(
    operation: Name,
    handler: Handler<O, Name>,
  ): Route<O[Name]>
  /** A Fastify plugin that makes startup fail if an operation has no route. */
  requireRoutes(app: Application): Promise<void>
  /** Selects the operations that one client uses. */
  pick<Name extends keyof O & string>(...operations: [Name, ...Name[]]): ApiUse<Pick<O, Name>>
}

/** The operations that one client uses. */
export interface ApiUse<O extends Operations = Operations> {
  readonly audience: string
  /** A sorted list of all scopes that these operations need. */
  readonly scopes: readonly string[]
  readonly operations: O
  /**
   * Creates a typed function that calls these operations.
   * @param client an HTTP client, or a function that returns an HTTP client for an operation
   */
  over(client: Client | ClientOf): Calls<O>
}

/**
 * Defines the contract of an API: its audience (RFC 9068 §3), its scopes with descriptions, and its operations.
 * @throws {InvalidContractError} if the contract is invalid
 */
export function defineApi<
  const Scope extends string,
  const O extends Operations<NoInfer<Scope>>,
>(definition: {
  readonly audience: string
  readonly scopes: Readonly<Record<Scope, string>>
  readonly operations: O & Checked<O>
}): Api<Scope, O> {
  checkDefinition(definition)
  const operations: O = definition.operations
  return Object.freeze({
    ...definition,
    route: <Name extends keyof O & string>(name: Name, handler: Handler<O, Name>) =>
      routeFor(name, find(operations, name), handler),
    requireRoutes: async (app: Application) => requireRoutes(operations, app),
    pick: <Name extends keyof O & string>(...names: [Name, ...Name[]]) =>
      useOf(
        definition.audience,
        Object.fromEntries(names.map(name => [name, find(operations, name)])) as Pick<O, Name>,
      ),
  })
}

function useOf<O extends Operations>(audience: string, operations: O): ApiUse<O> {
  const needed = Object.values(operations).flatMap(({ scopes }) => (scopes === 'public' ? [] : scopes))
  const scopes = [...new Set(needed)].sort()
  return Object.freeze({
    audience,
    scopes,
    operations,
    over: (client: Client | ClientOf) => callOver(operations, client),
  })
}
