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
    'Processor time of the main thread for one request in the guard alone, without HTTP and without the rest of Fastify. ES256, verified in place. “Repeated”: from the cache of verified tokens. “New”: with no cache, so every signature is verified. Medians over the rounds.',
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
