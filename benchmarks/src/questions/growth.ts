import type { Dimension, Grown } from '../cost-of-guard.js'
import { startServer } from '../harness/server-process.js'
import type { Growth, Question } from './question.js'

const titles: Readonly<Record<Dimension, { title: string; xLabel: string }>> = {
  scopes: {
    title: 'Cost of a request by the scopes of its token',
    xLabel: 'scopes that the token grants; the route demands the last of them',
  },
  issuers: { title: 'Cost of a request by trusted issuers', xLabel: 'issuers, each with a key of its own' },
  keys: {
    title: 'Cost of a request by keys of the issuer',
    xLabel: 'keys in the JWK set; the last one has signed',
  },
  characters: { title: 'Cost of a request by the size of its token', xLabel: 'characters of the token' },
}

export const growth: Question = {
  name: 'growth',
  title: 'How the cost grows',
  method:
    'The guard is the hook with which fastify-resource-server verifies the token of a request. The charts show the processor time that the guard uses on the main thread for one request, without HTTP and the rest of Fastify. The tokens are signed with ES256 and verified on the main thread. A repeated token is found in the cache of verified tokens. For new tokens, the cache is disabled, so every signature is verified. Each value is the median of several rounds.',
  async answer({ slices: rounds, tell }) {
    const guard = await startServer('the guard', 'cost-of-guard', { rounds })
    const growths: Growth[] = []
    try {
      for (const dimension of Object.keys(titles) as Dimension[]) {
        tell(dimension)
        const { sizes, repeated, unseen } = await guard.ask<Grown>(dimension)
        const { title, xLabel } = titles[dimension]
        growths.push(
          { title: `${title}: a repeated token`, xLabel, yLabel: 'µs', x: sizes, lines: { repeated } },
          { title: `${title}: a new token`, xLabel, yLabel: 'µs', x: sizes, lines: { new: unseen } },
        )
      }
    } finally {
      await guard.stop()
    }
    return { growths }
  },
}
