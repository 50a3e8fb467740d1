// One thread that does nothing but render receipts, one after the other: pdfmake's own rate.
import render from 'bookstore-demo/dist/receipt-service/render-worker.js'
import { serve } from '../harness/serve.js'
import { receipt } from './receipt.js'

const sliceMs = 2_000

await serve(
  async () => {
    await render(receipt)
    return ''
  },
  {
    async slice() {
      const before = process.cpuUsage()
      const startedAt = performance.now()
      let rendered = 0
      while (performance.now() - startedAt < sliceMs) {
        await render(receipt)
        rendered += 1
      }
      const rate = rendered / ((performance.now() - startedAt) / 1_000)
      const { user, system } = process.cpuUsage(before)
      return { count: rendered, rate, processor: (user + system) / rendered }
    },
  },
)
