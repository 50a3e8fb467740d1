import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { spread } from '../harness/comparison.js'
import { environment } from '../harness/server-process.js'
import type { Fact, Question } from './question.js'

interface Start {
  readonly ms: number
  readonly againMs: number
  readonly bytes: number
}

const run = promisify(execFile)
const script = fileURLToPath(new URL('../start-up.js', import.meta.url))

const plugins = ['fastify-resource-server', 'fastify-token-client', '@fastify/jwt + get-jwks', 'undici']
const issuers = ['oauth-test-issuer', 'oauth2-mock-server']

export const startUp: Question = {
  name: 'start-up',
  title: 'Start-up',
  method:
    'Each start in a fresh process that has Fastify loaded already: import, register and ready, and what of the heap stays in use. Keys and tokens are fetched in the background and not counted. “Again” is a second one in the same process.',
  async answer({ rounds, tell }) {
    const starts = new Map<string, Start[]>()
    const all = [...plugins, ...issuers]
    for (let round = 0; round < rounds * 2; round += 1) {
      tell(`round ${round + 1} of ${rounds * 2}`)
      for (const what of all) starts.set(what, [...(starts.get(what) ?? []), await start(what)])
    }
    const of = (what: string, pick: (start: Start) => number): number =>
      spread((starts.get(what) ?? []).map(pick)).median
    return {
      facts: [
        ...plugins.flatMap((what): Fact[] => {
          const bounded = what.startsWith('fastify-')
          return [
            {
              what: `${what}: time`,
              value: of(what, ({ ms }) => ms),
              unit: 'ms',
              ...(bounded ? { atMost: 60 } : {}),
            },
            {
              what: `${what}: heap`,
              value: of(what, ({ bytes }) => bytes / 1e6),
              unit: 'MB',
              ...(bounded ? { atMost: 15 } : {}),
            },
          ]
        }),
        ...issuers.flatMap((what): Fact[] => [
          { what: `${what}: import and first start`, value: of(what, ({ ms }) => ms), unit: 'ms' },
          {
            what: `${what}: again`,
            value: of(what, ({ againMs }) => againMs),
            unit: 'ms',
            ...(what === 'oauth-test-issuer' ? { atMost: 20 } : {}),
          },
        ]),
      ],
    }
  },
}

async function start(what: string): Promise<Start> {
  const { stdout } = await run(process.execPath, ['--expose-gc', script, what], { env: environment })
  return JSON.parse(stdout) as Start
}
