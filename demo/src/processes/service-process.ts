import type { FastifyInstance } from 'fastify'
import { openService } from './build-service.js'
import type { News, Order } from './messages.js'

// The main module of a process that runs one replica of one service. It ends with its supervisor, as cluster workers
// do.

let service: Promise<FastifyInstance> | undefined

process.on('message', (message: Order) => {
  if (message.order === 'serve') void serve(message)
  else void close()
})
process.once('SIGTERM', () => void close())
// Ctrl+C reaches every process of the terminal. The process ignores it, because the supervisor closes the processes in
// order.
process.on('SIGINT', () => {})
tell({ news: 'here' })

async function serve({ service: name, config }: Extract<Order, { order: 'serve' }>): Promise<void> {
  service = openService(name, config)
  try {
    await service
    tell({ news: 'ready' })
  } catch (error) {
    tell({ news: 'failed', reason: (error as Error).message })
  }
}

async function close(): Promise<void> {
  const opened = await service?.catch(() => undefined)
  await opened?.close()
  process.exit(0)
}

function tell(news: News): void {
  process.send?.(news)
}
