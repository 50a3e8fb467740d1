import type { FastifyInstance, FastifyReply } from 'fastify'
import type { NoteChallenge } from './refuse.js'

/** A challenge that a guard has set, with the status of the refusal. */
interface SetChallenge {
  readonly challenge: string
  readonly statusCode: number
}

/**
 * Removes the challenge of a guard from the reply if another authentication method succeeds (@fastify/auth). The hook
 * is added only if the application calls `authenticate`.
 * @returns creates the function that records the challenges of a guard; call it before the application is ready
 */
export function challengeWithdrawal(fastify: FastifyInstance): () => NoteChallenge {
  const challenges = new WeakMap<FastifyReply, SetChallenge>()
  let canAddHook = true
  fastify.addHook('onReady', async () => {
    canAddHook = false
  })

  function watchReplies(): void {
    if (!canAddHook) return
    canAddHook = false
    fastify.addHook('onSend', (_, reply, payload, done) => {
      const set = challenges.get(reply)
      if (set !== undefined && !isRefusal(reply, set)) reply.removeHeader('www-authenticate')
      done(null, payload)
    })
  }

  return () => {
    watchReplies()
    return (reply, challenge, statusCode) => void challenges.set(reply, { challenge, statusCode })
  }
}

/**
 * @fastify/auth responds with 401 even if the error has the status 400 or 403. Another authentication method may have
 * replaced the challenge.
 */
function isRefusal(reply: FastifyReply, { challenge, statusCode }: SetChallenge): boolean {
  const isAnswered = reply.statusCode === statusCode || reply.statusCode === 401
  return isAnswered || reply.getHeader('www-authenticate') !== challenge
}
