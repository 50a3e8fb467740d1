import { createServer } from 'node:net'
import { usualPorts, type Ports, type ServiceName } from './config.js'

/** A port that was taken, and its replacement. */
export interface MovedService {
  readonly service: ServiceName
  readonly wanted: number
  readonly used: number
}

/** The port of each service. */
export interface ChosenPorts {
  readonly ports: Ports
  readonly moved: readonly MovedService[]
}

/** Each failed attempt means that another program, such as a second demo, has just taken one of the ports. */
const maxAttempts = 20

/** Opens services on the usual ports. Chooses ports again if another program takes one before a service listens. */
export async function tryUsualPorts<T>(open: (chosen: ChosenPorts) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await open(await chooseUsualPorts())
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === maxAttempts) throw error
    }
}

/** Returns the usual ports. A port that is taken is replaced by the next free one. */
export async function chooseUsualPorts(): Promise<ChosenPorts> {
  const chosen = { ...usualPorts }
  const moved: MovedService[] = []
  for (const service of Object.keys(usualPorts) as ServiceName[]) {
    const wanted = usualPorts[service]
    const others = new Set(
      Object.entries(chosen)
        .filter(([name]) => name !== service)
        .map(([, port]) => port),
    )
    chosen[service] = await nextFree(wanted, others)
    if (chosen[service] !== wanted) moved.push({ service, wanted, used: chosen[service] })
  }
  return { ports: chosen, moved }
}

/**
 * Returns free ports. They stay unreserved until the services listen, so they are outside the range that operating
 * systems assign, and each process starts its search at a different port.
 */
export async function chooseFreePorts(): Promise<Ports> {
  const first = 10_000 + (process.pid % 2_000) * 10
  const chosen = new Map<string, number>()
  for (const service of Object.keys(usualPorts))
    chosen.set(service, await nextFree(first, new Set(chosen.values())))
  return Object.fromEntries(chosen) as Record<ServiceName, number>
}

async function nextFree(port: number, others: ReadonlySet<number>): Promise<number> {
  for (let candidate = port; candidate < port + 100; candidate += 1) {
    if (others.has(candidate)) continue
    if (await isFree(candidate)) return candidate
  }
  throw new Error(`no port from ${port} to ${port + 99} is free`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
