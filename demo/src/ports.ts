import { createServer } from 'node:net'
import { usualPorts, type Ports, type ServiceName } from './config.js'

/** A port that was wanted and is taken, and the one that is used instead. */
export interface MovedService {
  readonly service: ServiceName
  readonly wanted: number
  readonly used: number
}

/** The usual ports, or for each that is taken the next free one. */
export async function chooseUsualPorts(): Promise<{ ports: Ports; moved: readonly MovedService[] }> {
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

/** Ports that nobody uses, whichever they are. */
export async function chooseFreePorts(): Promise<Ports> {
  // All are held until each is known, or the same one could be handed out twice.
  const held = await Promise.all(
    Object.keys(usualPorts).map(async service => ({ service, probe: await probe(0) })),
  )
  await Promise.all(held.map(async ({ probe: port }) => port?.release()))
  return Object.fromEntries(held.map(({ service, probe: port }) => [service, port?.port])) as unknown as Ports
}

async function nextFree(port: number, others: ReadonlySet<number>): Promise<number> {
  for (let candidate = port; candidate < port + 100; candidate += 1) {
    if (others.has(candidate)) continue
    const held = await probe(candidate)
    await held?.release()
    if (held !== undefined) return candidate
  }
  throw new Error(`no port from ${port} to ${port + 99} is free`)
}

/** Holds a port for a moment; undefined when somebody else has it. */
function probe(port: number): Promise<{ port: number; release: () => Promise<void> } | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const held = typeof address === 'object' && address !== null ? address.port : port
      resolve({ port: held, release: () => new Promise(released => server.close(() => released())) })
    })
  })
}
