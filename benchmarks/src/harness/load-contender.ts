import type { Contender, Started } from './contender.js'
import { countInstructions } from './instructions.js'
import type { Load, LoadGenerator } from './load.js'
import { startServer, type ServerProcess } from './server-process.js'

/** Which server is put under load, and how. */
export interface LoadedServer {
  readonly name: string
  /** The file that `startServer` starts. */
  readonly file: string
  readonly config: object
  readonly load: Load
  readonly expected?: 'accepts' | 'refuses'
  readonly execArgv?: readonly string[]
  /** Prepares a server that has just started; null if it does not support what is measured. */
  readonly prepare?: (server: ServerProcess) => Promise<ServerProcess | null>
}

/** A server under load as a contender. */
export function underLoad(loaded: LoadedServer, generator: LoadGenerator): Contender {
  const { name, file, config, execArgv = [], prepare } = loaded
  return {
    name,
    async start() {
      const server = await startServer(name, file, config, execArgv)
      const prepared = prepare === undefined ? server : await prepare(server)
      if (prepared === null) await server.stop()
      return prepared === null ? null : running(prepared, generator, loaded)
    },
  }
}

function running(
  server: ServerProcess,
  generator: LoadGenerator,
  { load, expected = 'accepts' }: LoadedServer,
): Started {
  const used = async (): Promise<number> => {
    const { user, system } = await server.ask<NodeJS.CpuUsage>('cpu')
    return user + system
  }
  return {
    stop: server.stop,
    async measure() {
      const before = await used()
      const count = countInstructions(server.pid)
      const { requests, seconds, refused, failed } = await generator.send(server.url, load)
      const instructions = await count.stop()
      const processor = ((await used()) - before) / requests
      if (failed > 0 || refused !== (expected === 'accepts' ? 0 : requests))
        throw new Error(`${server.name} refused ${refused} and failed ${failed} of ${requests} requests`)
      return {
        rate: requests / seconds,
        processor,
        ...(instructions === undefined ? {} : { instructions: instructions / requests }),
      }
    },
  }
}
