import { InvalidContractError } from './errors.js'
import type { Operations } from './operation.js'
import { loadCompiler } from './schema-problems.js'

// What `requireRoutes` needs of a Fastify instance.
export interface Application {
  readonly prefix: string
  hasRoute(route: { method: string; url: string }): boolean
  addHook(name: 'onReady', hook: () => Promise<void>): unknown
}

// All routes are there by then, whether they come before it or after it.
export async function requireRoutes(operations: Operations, app: Application): Promise<void> {
  app.addHook('onReady', async () => {
    const missing = Object.entries(operations)
      .map(([name, { method, path }]) => ({ name, method, url: app.prefix + path }))
      .filter(route => !app.hasRoute(route))
      .map(({ name, method, url }) => `${name} (${method} ${url})`)
    if (missing.length > 0)
      throw new InvalidContractError(
        `no route for ${missing.join(', ')}; add app.route(api.route(name, handler))`,
      )
    await loadCompiler()
  })
}
