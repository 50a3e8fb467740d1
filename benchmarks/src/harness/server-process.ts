import { fork, type ChildProcess } from 'node:child_process'

/** A server in a process of its own: what it costs, it costs itself. */
export interface ServerProcess {
  readonly name: string
  readonly url: string
  readonly pid: number
  /** Asks the process something it knows to answer (see `serve`). */
  ask<T>(question: string): Promise<T>
  readonly stop: () => Promise<void>
}

interface Message {
  readonly url?: string
  readonly answer?: unknown
}

/**
 * After eight seconds without work V8 tidies up, and most of the optimized code is lost with what it refers to. A server
 * under load is never idle; a contender that waits for its turn is, some by chance and others not.
 */
const neverIdle = '--no-memory-reducer'

/** Loaders and options of this process are none of the measured one's. */
const { NODE_OPTIONS: _, ...rest } = process.env
export const environment: NodeJS.ProcessEnv = rest

/**
 * Starts `servers/<file>.js`.
 * @param config what the file's `serve` callback is given
 */
export async function startServer(
  name: string,
  file: string,
  config: object,
  execArgv: readonly string[] = [],
): Promise<ServerProcess> {
  const child = fork(new URL(`../${file}.js`, import.meta.url), [JSON.stringify(config)], {
    execArgv: [neverIdle, ...execArgv],
    env: environment,
  })
  const { url } = await nextMessage(child, name)
  if (url === undefined) throw new Error(`${name} has not said where it listens`)
  return {
    name,
    url,
    pid: child.pid ?? Number.NaN,
    async ask<T>(question: string) {
      const answer = nextMessage(child, name)
      child.send({ question })
      return (await answer).answer as T
    },
    async stop() {
      if (child.exitCode !== null) return
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.disconnect()
      await ended
    },
  }
}

function nextMessage(child: ChildProcess, name: string): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`${name} has ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', message => {
      child.off('exit', onExit)
      resolve(message as Message)
    })
  })
}
