/** The part of an application that {@link expectProtected} uses: Fastify's `inject`. */
export interface InjectableApp {
  inject(request: InjectedRequest): PromiseLike<InjectedAnswer>
  /** The decorator of fastify-resource-server, which lists the routes. Undefined if the plugin is not registered. */
  readonly oauth?: { routes(): readonly ListedRoute[] } | undefined
}

interface InjectedRequest {
  readonly method: never
  readonly url: string
  readonly headers: Record<string, string>
  readonly payload?: never
}

/** The members of the `inject` response that are checked. */
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
    /** For each of `scopes`, the scopes that include it. */
    readonly acceptedScopes?: readonly (readonly string[])[]
    readonly match: 'all' | 'any'
  } | null
}
