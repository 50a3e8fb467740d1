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

/** What happens to the processes. */
export type Happening = (what: 'ready' | 'died', replica: Replica) => void

/** The services, each replica in a process of its own. Replicas of one service share its port. */
export interface Supervisor {
  list(): readonly Replica[]
  /** Lets running work end, callers first, and starts nothing again. */
  close(): Promise<void>
}

/** How many processes each service has. */
export type Replicas = Readonly<Partial<Record<ServiceName, number>>>

/** Who is called starts before who calls; callers close first. */
const calledFirst = ['authorizationServer', 'receipts', 'payments', 'storefront'] as const
/** A process that dies again and again is started again this much later, in milliseconds. */
const restartMs = { afterReady: 50, afterFailure: 2_000 }
/** How long a service may take to finish what it works on, in milliseconds. */
const closeMs = 20_000

/**
 * Starts each replica in a process of its own and, when one dies, another in its place.
 * @returns when all listen
 * @throws what the first one says that cannot start
 */
export async function supervise(
  config: DemoConfig,
  replicas: Replicas,
  tell: Happening = () => {},
): Promise<Supervisor> {
  // The services bring neither loaders nor inspectors of this process with them.
  cluster.setupPrimary({ exec: fileURLToPath(new URL('service-process.js', import.meta.url)), execArgv: [] })
  const running = new Map<Worker, Replica>()
  const restarts = new Set<NodeJS.Timeout>()
  let closing = false

  /** Resolves when it listens; rejects when it ends before. */
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
      // What cannot start is tried again when it ends, which it does by itself.
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

/** Asks a process to end; one that does not is killed. */
async function end(worker: Worker): Promise<void> {
  if (worker.isDead()) return
  const exited = once(worker, 'exit')
  const order: Order = { order: 'close' }
  worker.send(order, () => {})
  const timer = setTimeout(() => worker.process.kill('SIGKILL'), closeMs)
  await exited
  clearTimeout(timer)
}
