import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { environment } from '../harness/server-process.js'
import { fact } from './fact.js'
import type { Fact, Question } from './question.js'

interface Start {
  readonly ms: number
  readonly againMs: number
  readonly bytes: number
}

const run = promisify(execFile)
const packages = fileURLToPath(new URL('../../../packages/', import.meta.url))
const bundled = ['resource-server', 'token-client', 'issuer-connection', 'declared-options', 'test-issuer']
const script = fileURLToPath(new URL('../start-up.js', import.meta.url))

type Limit = Pick<Fact, 'atMost'>

const plugins = new Map<string, { readonly timeMs: Limit; readonly heapMb: Limit }>([
  ['fastify-resource-server', { timeMs: { atMost: 45 }, heapMb: { atMost: 15 } }],
  ['fastify-token-client', { timeMs: { atMost: 30 }, heapMb: { atMost: 15 } }],
  ['@fastify/jwt + get-jwks', { timeMs: {}, heapMb: {} }],
  ['undici', { timeMs: {}, heapMb: {} }],
])
/** Test issuers, with the limit for a second start in the same process. */
const issuers = new Map<string, Limit>([
  ['oauth-test-issuer', { atMost: 20 }],
  ['oauth2-mock-server', {}],
])

export const startUp: Question = {
  name: 'start-up',
  title: 'Start-up',
  method:
    'Each start runs in a fresh process that has already loaded Fastify. The packages are bundled as in the published versions. The measured time includes the import, the registration and `ready()`. The heap in use is measured after `ready()`. Keys and tokens are fetched in the background, so their time is not included. “Again” means a second start in the same process.',
  async answer({ processes, tell }) {
    await bundlePackages()
    const starts = new Map<string, Start[]>()
    for (let process = 0; process < processes * 2; process += 1) {
      tell(`process ${process + 1} of ${processes * 2}`)
      for (const what of [...plugins.keys(), ...issuers.keys()])
        starts.set(what, [...(starts.get(what) ?? []), await start(what)])
    }
    const of = (what: string, pick: (start: Start) => number): number[] => (starts.get(what) ?? []).map(pick)
    return {
      facts: [
        ...[...plugins].flatMap(([what, { timeMs, heapMb }]): Fact[] => [
          fact(
            `${what}: time`,
            of(what, ({ ms }) => ms),
            'ms',
            timeMs,
          ),
          fact(
            `${what}: heap`,
            of(what, ({ bytes }) => bytes / 1e6),
            'MB',
            heapMb,
          ),
        ]),
        ...[...issuers].flatMap(([what, againMs]): Fact[] => [
          fact(
            `${what}: import and first start`,
            of(what, ({ ms }) => ms),
            'ms',
          ),
          fact(
            `${what}: again`,
            of(what, ({ againMs: ms }) => ms),
            'ms',
            againMs,
          ),
        ]),
      ],
    }
  },
}

/** Packages are published as bundles. The condition `published` selects them in the workspace. */
async function bundlePackages(): Promise<void> {
  for (const name of bundled)
    await run(process.execPath, ['../../scripts/bundle.mjs'], { cwd: `${packages}${name}` })
}

async function start(what: string): Promise<Start> {
  const options = ['--expose-gc', '--conditions=published']
  const { stdout } = await run(process.execPath, [...options, script, what], { env: environment })
  return JSON.parse(stdout) as Start
}
