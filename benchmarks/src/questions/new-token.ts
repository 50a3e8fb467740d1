import type { Comparison } from '../harness/comparison.js'
import { algorithms } from '../harness/issuer.js'
import { bare, compareRoutes, least, limit, oneThread, ours } from '../harness/protected-route.js'
import type { Question } from './question.js'

/** More than the cache of any contender holds. */
const distinctTokens = 8_000

export const newToken: Question = {
  name: 'new-token',
  title: 'A protected route, every token new',
  method: `Every server has the same route and receives ${distinctTokens.toLocaleString('en')} tokens in turn. No cache holds that many tokens, so every signature is verified. \`limit\` is bare Fastify plus one raw \`crypto.verify\` per request. “The least” also parses the claims as JSON and compares four of them, which is the minimum that a server must do. “One thread” means \`verifyInThreadPool: false\`; jose always uses the thread pool.`,
  async answer(effort) {
    const comparisons: Comparison[] = []
    for (const algorithm of algorithms)
      comparisons.push(
        await compareRoutes(algorithm, effort, {
          title: `${algorithm}, every token new`,
          tokens: distinctTokens,
          baselines: [bare, limit, least],
          goals: [
            { contender: oneThread, of: least, atLeast: 0.95 },
            { contender: ours, of: limit, atLeast: 1.2 },
            // The thread pool must never be slower than one thread.
            { contender: ours, of: oneThread, atLeast: 1 },
          ],
        }),
      )
    return { comparisons }
  },
}
