/** The members of a Fastify application that {@link expectProtected} uses. */
export interface InjectableApp {
  inject(request: InjectedRequest): PromiseLike<InjectedAnswer>
  /** Lists the application's routes. Undefined if the plugin fastify-resource-server is not registered. */
  readonly oauth?: { routes(): readonly ListedRoute[] } | undefined
}

interface InjectedRequest {
  readonly method: never
  readonly url: string
  readonly headers: Record<string, string>
  readonly payload?: never
}

/** The parts of a response from Fastify's `inject` that {@link expectProtected} checks. */
export interface InjectedAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
}

/** A route as listed by fastify-resource-server. */
export interface ListedRoute {
  readonly methods: readonly string[]
  readonly url: string
  readonly access: string
  readonly requirement: {
    readonly scopes: readonly string[]
    /**
     * For each scope in `scopes`, the scopes of which a token needs one: the scope itself, and all scopes that include
     * it.
     */
    readonly acceptedScopes?: readonly (readonly string[])[]
    readonly match: 'all' | 'any'
  } | null
}
