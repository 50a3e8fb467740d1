import type { FastifyInstance, FastifyReply } from 'fastify'
import type { NoteChallenge } from './refuse.js'

/** A challenge that a guard has set, and the status of its refusal. */
interface SetChallenge {
  readonly challenge: string
  readonly statusCode: number
}

/**
 * Refusals of a guard that may be one of several ways to authenticate (@fastify/auth): when another one succeeds, the
 * challenge is taken off the reply again. Only an application that calls `authenticate` gets the hook for it.
 * @returns makes what notes the challenges of one guard; call it before the application is ready
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

/** @fastify/auth answers with 401 where a way to authenticate says 400 or 403. Another way may have set a challenge since. */
function isRefusal(reply: FastifyReply, { challenge, statusCode }: SetChallenge): boolean {
  const isAnswered = reply.statusCode === statusCode || reply.statusCode === 401
  return isAnswered || reply.getHeader('www-authenticate') !== challenge
}
