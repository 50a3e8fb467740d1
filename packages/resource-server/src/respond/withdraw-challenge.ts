import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Refuse } from './refuse.js'

/** A challenge that a guard has set, and the status of its refusal. */
interface SetChallenge {
  readonly challenge: unknown
  readonly statusCode: number | undefined
}

/**
 * Refusals of a guard that may be one of several ways to authenticate (@fastify/auth): when another one succeeds, the
 * challenge is taken off the reply again. Only an application that calls `authenticate` gets the hook for it.
 * @returns makes a `refuse` withdrawable; call it before the application is ready
 */
export function challengeWithdrawal(fastify: FastifyInstance): (refuse: Refuse) => Refuse {
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

  return refuse => {
    watchReplies()
    return (refusal, refused) => {
      const error: (Error & { readonly statusCode?: number }) | undefined = refuse(refusal, refused)
      const challenge = refused.reply.getHeader('www-authenticate')
      if (challenge !== undefined) challenges.set(refused.reply, { challenge, statusCode: error?.statusCode })
      return error
    }
  }
}

/** @fastify/auth answers with 401 where a way to authenticate says 400 or 403. Another way may have set a challenge since. */
function isRefusal(reply: FastifyReply, { challenge, statusCode }: SetChallenge): boolean {
  const isAnswered = reply.statusCode === statusCode || reply.statusCode === 401
  return isAnswered || reply.getHeader('www-authenticate') !== challenge
}
