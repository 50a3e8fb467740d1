import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** The reason to skip tests that need redis-server, or `false` if redis-server is installed. */
export const noRedis: string | false =
  spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed'

/** A real redis-server on its own Unix socket. */
export interface RedisServer {
  readonly socket: string
  /** Kills the server, to simulate an outage. */
  stop(): Promise<void>
  /** Restarts the server on the same socket, without its data. */
  restart(): Promise<void>
}

export async function startRedis(t: Test): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'))
  const socket = join(folder, 'socket')
  let running = await launch(folder, socket)
  const stop = async (): Promise<void> => {
    running.kill('SIGKILL')
    if (running.exitCode === null && running.signalCode === null) await once(running, 'exit')
  }
  t.teardown(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    socket,
    stop,
    async restart() {
      await stop()
      running = await launch(folder, socket)
    },
  }
}

async function launch(folder: string, socket: string): Promise<ChildProcess> {
  const server = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await new Promise<void>((resolve, reject) => {
    server.once('exit', () => reject(new Error('redis-server does not start')))
    server.stdout.on('data', (chunk: Buffer) => {
      if (/ready to accept connections/i.test(chunk.toString())) resolve()
    })
  })
  return server
}
