import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { DemoConfig, ServiceName } from '../config.js'
import type { News, Order } from './messages.js'

/** One replica of a service. */
export interface Replica {
  readonly service: ServiceName
  readonly pid: number
  /** It listens. */
  readonly isReady: boolean
}

/** Called when a process listens or dies. */
export type Happening = (what: 'ready' | 'died', replica: Replica) => void

/** Runs each replica in its own process. The replicas of one service share its port. */
export interface Supervisor {
  list(): readonly Replica[]
  /** Waits for running requests, closes callers first, and restarts nothing. */
  close(): Promise<void>
}

/** Number of processes of each service. */
export type Replicas = Readonly<Partial<Record<ServiceName, number>>>

/** Start order: called services start before their callers. They close in reverse order. */
const calledFirst = ['authorizationServer', 'receipts', 'payments', 'storefront'] as const
/** Delay before a process that dies repeatedly is started again, in milliseconds. */
const restartMs = { afterReady: 50, afterFailure: 2_000 }
/** Maximum time for a service to finish its requests, in milliseconds. */
const closeMs = 20_000

/**
 * Starts each replica in its own process, and replaces processes that die.
 * @returns when all processes listen
 * @throws the error of the first process that cannot start
 */
export async function supervise(
  config: DemoConfig,
  replicas: Replicas,
  tell: Happening = () => {},
): Promise<Supervisor> {
  // The services must not inherit this process's loaders or inspector.
  cluster.setupPrimary({ exec: fileURLToPath(new URL('service-process.js', import.meta.url)), execArgv: [] })
  const running = new Map<Worker, Replica>()
  const restarts = new Set<NodeJS.Timeout>()
  let closing = false

  /** Resolves when the process listens; rejects if it ends first. */
  function start(service: ServiceName): Promise<void> {
    const worker = cluster.fork()
    const { pid = 0 } = worker.process
    running.set(worker, { service, pid, isReady: false })
    const order: Order = { order: 'serve', service, config: config[service] }
    return new Promise((resolve, reject) => {
      let reason = `${service} ended before it listened`
      worker.on('message', (news: News) => {
        if (news.news === 'here') return worker.send(order)
        if (news.news === 'failed') {
          reason = `${service}: ${news.reason}`
          return worker.process.kill('SIGKILL')
        }
        running.set(worker, { service, pid, isReady: true })
        tell('ready', { service, pid, isReady: true })
        return resolve()
      })
      worker.once('exit', () => {
        const was = running.get(worker)
        running.delete(worker)
        if (!closing && was !== undefined) restartLater(was)
        reject(new Error(reason))
      })
    })
  }

  function restartLater(was: Replica): void {
    tell('died', was)
    const delayMs = was.isReady ? restartMs.afterReady : restartMs.afterFailure
    const timer = setTimeout(() => {
      restarts.delete(timer)
      // A process that cannot start ends by itself, and its exit handler starts it again.
      start(was.service).catch(() => {})
    }, delayMs)
    restarts.add(timer)
  }

  async function close(): Promise<void> {
    closing = true
    for (const timer of restarts) clearTimeout(timer)
    for (const service of calledFirst.toReversed()) {
      const workers = [...running].filter(([, replica]) => replica.service === service)
      await Promise.all(workers.map(([worker]) => end(worker)))
    }
  }

  try {
    for (const service of calledFirst)
      await Promise.all(Array.from({ length: replicas[service] ?? 1 }, () => start(service)))
    return { list: () => [...running.values()], close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Asks a process to end, and kills it after a timeout. */
async function end(worker: Worker): Promise<void> {
  if (worker.isDead()) return
  const exited = once(worker, 'exit')
  const order: Order = { order: 'close' }
  worker.send(order, () => {})
  const timer = setTimeout(() => worker.process.kill('SIGKILL'), closeMs)
  await exited
  clearTimeout(timer)
}
