import { AsyncLocalStorage } from 'node:async_hooks'
import type { DemoConfig } from '../config.js'
import type { Lane, Visit } from './exchange.js'

/** Which service's code runs, and for which visit. */
interface Where {
  readonly lane: Lane
  readonly visit: Visit
}
export const where = new AsyncLocalStorage<Where>()

/** Runs what a service does by itself, such as fetching its first token, in the service's name. */
export function inLane<T>(lane: Lane, work: () => T): T {
  return where.run({ lane, visit: {} }, work)
}

interface Lanes {
  readonly laneOfPort: (port: number | undefined) => Lane | undefined
  readonly laneOfOrigin: (origin: URL) => Lane | undefined
}

/** Who listens where. An issuer that is somebody else's is whoever else is called. */
export function locateLanes({ isIssuerReal, ...services }: DemoConfig): Lanes {
  const ports = new Map(Object.entries(services).map(([lane, { port }]) => [port, lane as Lane]))
  const outside = isIssuerReal ? 'authorizationServer' : undefined
  return {
    laneOfPort: port => ports.get(port ?? 0),
    laneOfOrigin: ({ hostname, port }) =>
      (hostname === '127.0.0.1' ? ports.get(Number(port)) : undefined) ?? outside,
  }
}
