import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { createTestIssuer } from 'oauth-test-issuer'
import { Pool } from 'undici'
import type { Contender, Started } from '../harness/contender.js'
import { measureProcesses } from '../harness/measure-processes.js'
import { slices } from '../harness/slice-contender.js'
import { startServer, type ServerProcess } from '../harness/server-process.js'
import { receiptRequest } from '../receipts/receipt.js'
import { fact } from './fact.js'
import type { Question } from './question.js'

const alone = 'pdfmake alone, one thread'
const nameOf = (threads: number): string =>
  `the receipt service, ${threads === 1 ? 'one worker' : `${threads} workers`}`
const audience = 'https://receipts.example.com'
const sliceMs = 2_000
/** Receipts that are asked for at a time, for each worker: none is ever idle. */
const lanes = 4

/** As many as have a core each, beside the main thread and who asks. */
const workers = availableParallelism() > 3 ? [1, 2] : [1]

interface Delay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export const receipts: Question = {
  name: 'receipts',
  title: 'Receipts',
  method:
    'Each receipt lists three books. “pdfmake alone” is one thread that renders the same receipt again and again. “The receipt service” is the service from the bookstore demo in a separate process. The receipt service receives HTTP requests with a token, each of which issues a receipt for a new payment. For each request, the service checks the token and the schema, runs two transactions in the embedded database, and renders the PDF in a worker thread. The delay of the service’s main loop is sampled every millisecond under this load.',
  async answer(effort) {
    const issuer = await createTestIssuer({ audience, expiresInMs: 86_400_000 })
    const authorization = `Bearer ${await issuer.token({ scopes: ['receipts:write'] })}`
    const services = workers.map(threads => ({ threads, delays: [] as Delay[] }))
    try {
      const measured = await measureProcesses(
        [
          slices(alone, 'receipts/pdfmake-alone', {}),
          ...services.map(service => receiptService({ ...service, issuer: issuer.url, authorization })),
        ],
        effort,
        effort.tell,
      )
      return {
        comparisons: [
          {
            title: 'Receipts issued',
            unit: 'receipts/s',
            ...measured,
            baselines: [alone],
            goals: workers.map(threads => ({
              contender: nameOf(threads),
              of: alone,
              atLeast: 0.9 * threads,
            })),
          },
        ],
        facts: services.flatMap(({ threads, delays }) => [
          fact(
            `main loop late, p50, ${nameOf(threads)}`,
            delays.map(({ p50 }) => p50),
            'ms',
          ),
          fact(
            `main loop late, p99, ${nameOf(threads)}`,
            delays.map(({ p99 }) => p99),
            'ms',
            { atMost: 15 },
          ),
        ]),
      }
    } finally {
      await issuer.close()
    }
  },
}

interface ReceiptService {
  readonly threads: number
  readonly issuer: string
  readonly authorization: string
  /** Receives the delays of the main loop in each slice. */
  readonly delays: Delay[]
}

function receiptService({ threads, issuer, authorization, delays }: ReceiptService): Contender {
  const name = nameOf(threads)
  return {
    name,
    async start() {
      const server = await startServer(name, 'receipts/receipt-service', { issuer, audience, threads })
      return issuing(server, { lanes: lanes * threads, authorization, delays })
    },
  }
}

function issuing(
  server: ServerProcess,
  { lanes: count, authorization, delays }: { lanes: number; authorization: string; delays: Delay[] },
): Started {
  const pool = new Pool(server.url, { connections: count })
  const body = JSON.stringify(receiptRequest)
  return {
    async stop() {
      await pool.close()
      await server.stop()
    },
    async measure() {
      await server.ask('reset')
      const before = await server.ask<NodeJS.CpuUsage>('cpu')
      const startedAt = performance.now()
      let issued = 0
      const lane = async (): Promise<void> => {
        while (performance.now() - startedAt < sliceMs) {
          const response = await pool.request({
            method: 'PUT',
            path: `/receipts/${randomUUID()}`,
            headers: { authorization, 'content-type': 'application/json' },
            body,
          })
          if (response.statusCode !== 201) throw new Error(await response.body.text())
          await response.body.dump()
          issued += 1
        }
      }
      await Promise.all(Array.from({ length: count }, lane))
      const seconds = (performance.now() - startedAt) / 1_000
      delays.push(await server.ask<Delay>('delay'))
      const after = await server.ask<NodeJS.CpuUsage>('cpu')
      const used = after.user + after.system - before.user - before.system
      return { rate: issued / seconds, processor: used / issued }
    },
  }
}
