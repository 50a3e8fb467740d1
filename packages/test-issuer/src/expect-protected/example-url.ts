/**
 * The route syntax of find-my-way, Fastify's router: `::` is a literal colon, `:name` or `:name(regex)` is a parameter, and `*` is
 * a wildcard. A `?` at the end makes the last parameter optional. Elsewhere, `?` starts a query string.
 */
const syntax = /::|:[^/(.?-]+(?:\((?:\\.|[^()\\]|\((?:\\.|[^()\\])*\))*\))?|\*|\?$|\?.+$/g

/** Returns a URL that matches the route. Replaces each parameter with `1`. */
export function exampleUrl(route: string): string {
  return route.replaceAll(syntax, part => {
    if (part === '::') return ':'
    if (part === '?') return ''
    return part.startsWith('?') ? part : '1'
  })
}
