// Bare Fastify that answers what it is told: the price of a refusal when nothing has to be found out.
import Fastify from 'fastify'
import { serve } from '../harness/serve.js'

/** An answer to give on a path. */
export interface Answer {
  readonly path: string
  readonly status: number
  readonly challenge: string
  readonly body: object
}

await serve(async ({ answers }: { answers: readonly Answer[] }) => {
  const app = Fastify()
  for (const { path, status, challenge, body } of answers)
    app.get(path, async (_request, reply) =>
      reply.code(status).header('www-authenticate', challenge).send(body),
    )
  return app.listen({ port: 0, host: '127.0.0.1' })
})
