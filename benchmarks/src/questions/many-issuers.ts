import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import type { Comparison } from '../harness/comparison.js'
import { audience, scope } from '../harness/issuer.js'
import { underLoad } from '../harness/load-contender.js'
import { measureProcesses } from '../harness/measure-processes.js'
import { startServer, type ServerProcess } from '../harness/server-process.js'
import type { ManyIssuers } from '../servers/many-issuers.js'
import type { Effort, Fact, Question } from './question.js'

const counts = [1, 10, 100, 1_000] as const
const tokensInAll = 1_000
const file = 'servers/many-issuers'
const nameOf = (count: number): string =>
  count === 1 ? 'one issuer' : `${count.toLocaleString('en')} issuers`

export const manyIssuers: Question = {
  name: 'many-issuers',
  title: 'A thousand issuers',
  method: `One API trusts a single issuer, and another API trusts 1,000 issuers, each with its own ES256 key. Each API receives ${tokensInAll.toLocaleString('en')} tokens in turn, spread over its issuers. “Tokens that are kept” fit into the cache. “Every token new” means that each token is verified each time. The heap is measured after all keys have been loaded and all tokens have been received, and does not include the heap of Fastify alone.`,
  async answer(effort) {
    const issuers = await Promise.all(
      Array.from({ length: Math.max(...counts) }, (_, n) =>
        createTestIssuer({
          listen: false,
          origin: `https://issuer-${n}.test`,
          audience,
          expiresInMs: 86_400_000,
        }),
      ),
    )
    const keys = await serveKeys(issuers)
    try {
      const comparisons = [
        await compare('tokens that are kept', 2 * tokensInAll, { issuers, keysAt: keys.url }, effort),
        await compare('every token new', 0, { issuers, keysAt: keys.url }, effort),
      ]
      return { comparisons, ...(await memory({ issuers, keysAt: keys.url }, effort)) }
    } finally {
      keys.close()
    }
  },
}

interface Issuers {
  readonly issuers: readonly TestIssuer[]
  readonly keysAt: string
}

async function serveKeys(issuers: readonly TestIssuer[]): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const { jwks } = issuers[Number(request.url?.slice(1))] ?? {}
    response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

function start(count: number, keysAt: string, maxCachedTokens: number): Promise<ServerProcess> {
  const config: ManyIssuers = { count, keysAt, audience, scope, maxCachedTokens }
  return startServer(nameOf(count), file, config, ['--expose-gc'])
}

const tokensOf = (issuers: readonly TestIssuer[], count: number): Promise<string[]> =>
  Promise.all(
    Array.from(
      { length: tokensInAll },
      async (_, n) => `Bearer ${await issuers[n % count]?.token({ scopes: [scope] })}`,
    ),
  )

async function compare(
  title: string,
  maxCachedTokens: number,
  { issuers, keysAt }: Issuers,
  effort: Effort,
): Promise<Comparison> {
  const contenders = await Promise.all(
    [counts[0], counts[3]].map(async count => {
      const credentials = await tokensOf(issuers, count)
      const config: ManyIssuers = { count, keysAt, audience, scope, maxCachedTokens }
      const load = { path: '/orders', credentials, seconds: effort.secondsPerSlice }
      return underLoad({ name: nameOf(count), file, config, load, execArgv: ['--expose-gc'] }, effort.load)
    }),
  )
  const measured = await measureProcesses(contenders, effort, what => effort.tell(`${title}: ${what}`))
  return {
    title: `A thousand issuers, ${title}`,
    unit: 'requests/s',
    ...measured,
    baselines: [nameOf(1)],
    goals: [{ contender: nameOf(1_000), of: nameOf(1), atLeast: 0.8 }],
  }
}

async function memory({ issuers, keysAt }: Issuers, { load, tell }: Effort) {
  const heaps: number[] = []
  for (const count of counts) {
    tell(`memory of ${nameOf(count)}`)
    const server = await start(count, keysAt, 2 * tokensInAll)
    const credentials = await tokensOf(issuers, count)
    await load.send(server.url, { path: '/orders', credentials, seconds: 1 })
    heaps.push((await server.ask<number>('heap')) / 1e6)
    await server.stop()
  }
  const [one = Number.NaN, , hundred = Number.NaN, thousand = Number.NaN] = heaps
  const facts: Fact[] = [
    { what: 'heap of one more issuer, from 1 to 100', value: ((hundred - one) / 99) * 1_000, unit: 'kB' },
    {
      what: 'heap of one more issuer, from 100 to 1,000',
      value: ((thousand - hundred) / 900) * 1_000,
      unit: 'kB',
    },
    {
      what: 'the latter, relative to the former (1: memory grows linearly)',
      value: (thousand - hundred) / 900 / ((hundred - one) / 99),
      unit: '×',
      atMost: 1.2,
    },
  ]
  return {
    facts,
    growths: [
      { title: 'Heap by issuers', xLabel: 'issuers', yLabel: 'MB', x: counts, lines: { heap: heaps } },
    ],
  }
}
