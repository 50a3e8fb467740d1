// A library that exports values of the package: the compiler must be able to name their types in declarations.
import fastify, { type FastifyInstance } from 'fastify'
import resourceServer, { defineResourceServer, redisReplayStore } from 'fastify-resource-server'

const rs = defineResourceServer({ scopes: ['receipts:read', 'receipts:write'] })

export const receipts = rs
export const hierarchy = defineResourceServer({ scopes: { admin: ['read'], read: [] } })
export const plugin = rs.plugin
export const read = rs.protect({ scopes: ['receipts:read'] })
export const anyToken = rs.protect()
export const optional = rs.protect({ optional: true })
export const open = rs.open
export const both = { resourceServer, rs }
export const store = redisReplayStore({ set: async () => 'OK', isOpen: true })

export const routes = (app: FastifyInstance) => app.oauth.routes()
export const guard = (app: FastifyInstance) => app.oauth.authenticate({ scopes: ['receipts:read'] })
export const verify = (app: FastifyInstance) => (token: string) => app.oauth.verify(token)
export const stats = (app: FastifyInstance) => app.oauth.stats()

export const app = fastify().get('/receipts', { config: read }, async ({ auth }) => auth)
