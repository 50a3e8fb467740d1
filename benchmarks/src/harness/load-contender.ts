import type { Contender } from './alternate.js'
import type { Load, LoadGenerator } from './load.js'
import type { ServerProcess } from './server-process.js'

/** Processor time that a process has used, in microseconds. */
interface CpuUsage {
  readonly user: number
  readonly system: number
}

/** A server under load: requests a second, and what one costs its process. */
export function underLoad(
  server: ServerProcess,
  generator: LoadGenerator,
  load: Load,
  expected: 'accepts' | 'refuses' = 'accepts',
): Contender {
  const { name, url } = server
  const used = async (): Promise<number> => {
    const { user, system } = await server.ask<CpuUsage>('cpu')
    return user + system
  }
  return {
    name,
    async measure() {
      const before = await used()
      const { requests, seconds, refused, failed } = await generator.send(url, load)
      const cost = (await used()) - before
      if (failed > 0 || refused !== (expected === 'accepts' ? 0 : requests))
        throw new Error(`${name} refused ${refused} and failed ${failed} of ${requests} requests`)
      return { rate: requests / seconds, processor: cost / requests }
    },
  }
}
