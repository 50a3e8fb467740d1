/** The part of an application that {@link expectProtected} uses: Fastify's `inject`. */
export interface InjectableApp {
  inject(request: InjectedRequest): PromiseLike<InjectedAnswer>
  /** The list of routes of fastify-resource-server, if it is registered. */
  readonly oauth?: { routes(): readonly ListedRoute[] } | undefined
}

interface InjectedRequest {
  readonly method: never
  readonly url: string
  readonly headers: Record<string, string>
  readonly payload?: never
}

/** The part of inject()'s answer that is checked. */
export interface InjectedAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
}

/** A route as fastify-resource-server lists it. */
export interface ListedRoute {
  readonly methods: readonly string[]
  readonly url: string
  readonly access: string
  readonly requirement: {
    readonly scopes: readonly string[]
    /** For each of `scopes`, those that grant it. */
    readonly acceptedScopes?: readonly (readonly string[])[]
    readonly match: 'all' | 'any'
  } | null
}
