import { AsyncLocalStorage } from 'node:async_hooks'
import type { DemoConfig } from '../config.js'
import type { Lane, Visit } from './exchange.js'

/** The service whose code runs, and the visit that caused it. */
interface Where {
  readonly lane: Lane
  readonly visit: Visit
}
export const where = new AsyncLocalStorage<Where>()

/** Runs work that no request causes, such as fetching the first token, in the name of a service. */
export function inLane<T>(lane: Lane, work: () => T): T {
  return where.run({ lane, visit: {} }, work)
}

interface Lanes {
  readonly laneOfPort: (port: number | undefined) => Lane | undefined
  readonly laneOfOrigin: (origin: URL) => Lane | undefined
}

/** Maps ports and origins to services. With an external issuer, every unknown origin is the issuer's. */
export function locateLanes({ isIssuerReal, ...services }: DemoConfig): Lanes {
  const ports = new Map(Object.entries(services).map(([lane, { port }]) => [port, lane as Lane]))
  const outside = isIssuerReal ? 'authorizationServer' : undefined
  return {
    laneOfPort: port => ports.get(port ?? 0),
    laneOfOrigin: ({ hostname, port }) =>
      (hostname === '127.0.0.1' ? ports.get(Number(port)) : undefined) ?? outside,
  }
}
