/** A route that must be protected. */
export interface ProtectedRoute {
  /** Default `GET`. */
  readonly method?: string
  /**
   * The route's pattern, such as `/receipts/:id` (each parameter becomes `1`), or a URL with parameters filled in. A literal
   * colon is written `::`, as in Fastify's routes. A query string is sent unchanged.
   */
  readonly url: string
  /** The scopes it requires, all of them. Default: none, so any valid token is enough. */
  readonly scopes?: readonly string[]
  /** Headers that a good request needs besides the token. */
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: string | object
}

export function nameOf({ method = 'GET', url }: ProtectedRoute): string {
  return `${method} ${url}`
}
