/**
 * Pattern syntax of find-my-way, Fastify's router: `::` is a literal colon, `:name` or `:name(regex)` a parameter, `*`
 * a wildcard. A `?` at the very end makes the last parameter optional; anywhere else it starts a query string.
 */
const syntax = /::|:[^/(.?-]+(?:\((?:\\.|[^()\\]|\((?:\\.|[^()\\])*\))*\))?|\*|\?$|\?.+$/g

/** A URL that matches the route: each parameter becomes `1`. */
export function exampleUrl(route: string): string {
  return route.replaceAll(syntax, part => {
    if (part === '::') return ':'
    if (part === '?') return ''
    return part.startsWith('?') ? part : '1'
  })
}
