import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { spread } from '../harness/comparison.js'
import { environment } from '../harness/server-process.js'
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
    'Tokens with an audience and a scope, signed one after the other, each issuer in a fresh process, in turn. The median of the rounds.',
  async answer({ rounds, secondsPerSlice, tell }) {
    const rates = new Map<string, number[]>()
    for (let round = 0; round < rounds; round += 1) {
      tell(`round ${round + 1} of ${rounds}`)
      for (const { issuer, algorithm } of contenders) {
        const args = [script, issuer, algorithm, String(secondsPerSlice)]
        const { stdout } = await run(process.execPath, args, { env: environment })
        const what = `${issuer}, ${algorithm}`
        rates.set(what, [...(rates.get(what) ?? []), JSON.parse(stdout) as number])
      }
    }
    return {
      facts: [...rates].map(([what, measured]) => ({
        what,
        value: spread(measured).median,
        unit: 'tokens/s',
      })),
    }
  },
}
