import type { FastifyInstance, FastifyReply } from 'fastify'
import type { NoteChallenge } from './refuse.js'

/** A challenge that was added to a reply, and the status code with which the request was refused. */
interface SetChallenge {
  readonly challenge: string
  readonly statusCode: number
}

/**
 * Removes the `WWW-Authenticate` header from a reply if another authentication method of @fastify/auth accepts the
 * request. The hook that removes the header is added only if the application calls `authenticate`.
 * @returns a function that adds the hook and returns the function that records challenges. To have an effect, it must
 * be called before the application is ready
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
 * Returns whether the reply's `WWW-Authenticate` header must be kept. It is kept if the request was refused, or if
 * another authentication method has replaced the header. A 401 response always counts as refused, because @fastify/auth
 * responds with 401 even if the plugin refused the request with another status.
 */
function isRefusal(reply: FastifyReply, { challenge, statusCode }: SetChallenge): boolean {
  const isAnswered = reply.statusCode === statusCode || reply.statusCode === 401
  return isAnswered || reply.getHeader('www-authenticate') !== challenge
}
