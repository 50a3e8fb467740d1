/** A route for {@link expectProtected}. */
export interface ProtectedRoute {
  /** Default `GET`. */
  readonly method?: string
  /**
   * The pattern of the route, such as `/receipts/:id`, or a concrete URL, such as `/receipts/1`. In a pattern, each parameter
   * is replaced with `1`. Write a literal colon as `::`, as in Fastify's routes. A query string is sent unchanged.
   */
  readonly url: string
  /** The scopes that the route requires. A token must have all of these scopes. Default: none. */
  readonly scopes?: readonly string[]
  /** Additional request headers that the route needs. */
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: string | object
}

export function nameOf({ method = 'GET', url }: ProtectedRoute): string {
  return `${method} ${url}`
}
