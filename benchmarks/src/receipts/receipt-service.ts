// The whole receipt service: HTTP, a token for every call, the embedded database, rendering in worker threads.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { buildReceiptService } from 'bookstore-demo/dist/receipt-service/app.js'
import { serve } from '../harness/serve.js'

interface Config {
  readonly issuer: string
  readonly audience: string
  readonly threads: number
}

const folder = mkdtempSync(join(tmpdir(), 'bench-receipts-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
// One sample a millisecond; what a sample is above that, the loop was late.
const resolution = 1
const delay = monitorEventLoopDelay({ resolution })

await serve(
  async ({ issuer, audience, threads }: Config) => {
    const app = await buildReceiptService({
      issuer,
      audience,
      host: '127.0.0.1',
      port: 0,
      logLevel: 'silent',
      database: { folder: join(folder, 'database') },
      render: { threads },
    })
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    delay.enable()
    return url
  },
  {
    reset: () => delay.reset(),
    /** How late the main loop was, in milliseconds. */
    delay: () => ({
      p50: delay.percentile(50) / 1e6 - resolution,
      p99: delay.percentile(99) / 1e6 - resolution,
      max: delay.max / 1e6 - resolution,
    }),
  },
)
