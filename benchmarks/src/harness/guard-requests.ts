import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'

/** Gives so many requests to the guard, one after the other, on the main thread. */
export type Run = (requests: number) => void

const ignored = (): void => {}

/** The `onRequest` hook by which the plugin guards routes. */
type Hook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/** An application whose guard can be called by itself. */
export interface GuardedApp {
  readonly app: FastifyInstance
  readonly hook: Hook
}

/** Registers the resource server and takes the first hook that it adds: its guard. */
export async function guardedApp(options: ResourceServerOptions): Promise<GuardedApp> {
  const app = Fastify()
  const hooks: Hook[] = []
  const addHook = app.addHook.bind(app) as (name: string, hook: Hook) => FastifyInstance
  app.addHook = ((name: string, hook: Hook) => {
    if (name === 'onRequest') hooks.push(hook)
    return addHook(name, hook)
  }) as FastifyInstance['addHook']
  await app.register(resourceServer, options)
  await app.ready()
  const [hook] = hooks
  if (hook === undefined) throw new Error('fastify-resource-server added no onRequest hook')
  return { app, hook }
}

/** Requests to a route that requires this scope, given to the guard without HTTP and without the rest of Fastify. */
export function guardRequests(
  { app, hook }: GuardedApp,
  scope: string,
  tokens: readonly (string | undefined)[],
): Run {
  const reply = { header: () => reply, sent: false } as unknown as FastifyReply
  const routeOptions = { method: 'GET', url: '/orders', config: { oauth: { scopes: [scope] } } }
  const headers = tokens.map(token => Buffer.from(token === undefined ? '' : `Bearer ${token}`))
  let next = 0
  return count => {
    for (let index = 0; index < count; index += 1) {
      const header = headers[next++ % headers.length] as Buffer
      // A new string each time, as it comes from the network: V8 has computed nothing about it yet.
      const authorization = header.length === 0 ? undefined : header.toString('latin1')
      const raw = { headers: { authorization }, rawHeaders: ['Authorization', authorization] }
      const request = { is404: false, method: 'GET', headers: raw.headers, raw, log: app.log, routeOptions }
      hook(request as unknown as FastifyRequest, reply, ignored)
    }
  }
}

/** Microseconds of processor time for one request. */
export function processorTime(run: Run, count: number): number {
  const before = process.cpuUsage()
  run(count)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}
