import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { environment } from '../harness/server-process.js'
import { fact } from './fact.js'
import type { Question } from './question.js'

const run = promisify(execFile)
const script = fileURLToPath(new URL('../token-rate.js', import.meta.url))
const contenders = ['ES256', 'RS256'].flatMap(algorithm =>
  ['oauth-test-issuer', 'oauth2-mock-server'].map(issuer => ({ issuer, algorithm })),
)

export const tokenRate: Question = {
  name: 'token-rate',
  title: 'Tokens of a test issuer',
  method:
    'Each test issuer signs tokens with an audience and a scope, one after another. The test issuers run in alternation, each time in a fresh process. The table contains the median of all processes.',
  async answer({ processes, secondsPerSlice, tell }) {
    const rates = new Map<string, number[]>()
    for (let round = 0; round < processes; round += 1) {
      tell(`process ${round + 1} of ${processes}`)
      for (const { issuer, algorithm } of contenders) {
        const args = [script, issuer, algorithm, String(secondsPerSlice)]
        const { stdout } = await run(process.execPath, args, { env: environment })
        const what = `${issuer}, ${algorithm}`
        rates.set(what, [...(rates.get(what) ?? []), JSON.parse(stdout) as number])
      }
    }
    return {
      facts: [...rates].map(([what, measured]) => fact(what, measured, 'tokens/s')),
    }
  },
}
