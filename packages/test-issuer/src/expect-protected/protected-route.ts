/** A route for {@link expectProtected}. */
export interface ProtectedRoute {
  /** Default `GET`. */
  readonly method?: string
  /**
   * The pattern of the route, such as `/receipts/:id`, or a concrete URL, such as `/receipts/1`. In a pattern, each parameter
   * becomes `1`. Write a literal colon as `::`, as in Fastify's routes. A query string is sent unchanged.
   */
  readonly url: string
  /** The required scopes, all of which a token must have. Default: none, so that any valid token is enough. */
  readonly scopes?: readonly string[]
  /** Request headers that the route needs besides the token. */
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: string | object
}

export function nameOf({ method = 'GET', url }: ProtectedRoute): string {
  return `${method} ${url}`
}
