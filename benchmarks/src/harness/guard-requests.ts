import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Gives so many requests to the guard, one after the other, on the main thread. */
export type Run = (requests: number) => void

const ignored = (): void => {}

/** The guard of an app that demands this scope, by itself: no HTTP, and of Fastify nothing but what the guard reads. */
export function guardRequests(
  app: FastifyInstance,
  scope: string,
  tokens: readonly (string | undefined)[],
): Run {
  const guard = app.oauth.authenticate({ scopes: [scope] })
  const reply = { header: () => reply, sent: false } as unknown as FastifyReply
  const headers = tokens.map(token => Buffer.from(token === undefined ? '' : `Bearer ${token}`))
  let next = 0
  return count => {
    for (let index = 0; index < count; index += 1) {
      const header = headers[next++ % headers.length] as Buffer
      // A new string each time, as it comes from the network: what V8 remembers of the last one is not there.
      const authorization = header.length === 0 ? undefined : header.toString('latin1')
      const raw = { headers: { authorization }, rawHeaders: ['Authorization', authorization] }
      const request = { is404: false, method: 'GET', headers: raw.headers, raw, log: app.log }
      guard(request as unknown as FastifyRequest, reply, ignored)
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
