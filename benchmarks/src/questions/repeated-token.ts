import { bare, compareRoutes, least, limit, oneThread, ours } from '../harness/protected-route.js'
import type { Question } from './question.js'

export const repeatedToken: Question = {
  name: 'repeated-token',
  title: 'A protected route, with a repeated token',
  method:
    'Every server has the same route and receives the same token again and again. Bare Fastify ignores the token. `limit` is bare Fastify plus one raw `crypto.verify` per request. The token is signed with RS256, but a cached token costs the same with every algorithm.',
  async answer(effort) {
    const comparison = await compareRoutes('RS256', effort, {
      title: 'A repeated token',
      tokens: 1,
      baselines: [bare, limit],
      goals: [{ contender: ours, of: bare, atLeast: 0.92 }],
      // Both only differ from others for new tokens.
      without: [oneThread, least],
    })
    return { comparisons: [comparison] }
  },
}
