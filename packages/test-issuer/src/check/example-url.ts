/**
 * What find-my-way, Fastify's router, takes for more than letters: `::` is a colon, `:name` or `:name(regex)` a
 * parameter, `*` the rest; `?` at the very end makes the last parameter optional. Anywhere else a query begins with it.
 */
const syntax = /::|:[^/(.?-]+(?:\((?:\\.|[^()\\]|\((?:\\.|[^()\\])*\))*\))?|\*|\?$|\?.+$/g

/** A URL that the route answers: `1` takes the place of each parameter. */
export function exampleUrl(route: string): string {
  return route.replaceAll(syntax, part => {
    if (part === '::') return ':'
    if (part === '?') return ''
    return part.startsWith('?') ? part : '1'
  })
}
