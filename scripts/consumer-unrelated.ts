// Code without OAuth must compile in a program that imports the package.
import fastify, { type FastifyReply, type FastifyRequest, type RouteHandlerMethod } from 'fastify'
import 'fastify-resource-server'

declare module 'fastify' {
  interface FastifyContextConfig {
    rateLimit?: { max: number }
  }
}

export function ip(request: FastifyRequest): string {
  return request.ip
}

export async function answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  await reply.send({ ip: ip(request) })
}

export const handler: RouteHandlerMethod = async request => ip(request as FastifyRequest)

export const app = fastify()
app.get('/limited', { config: { rateLimit: { max: 5 } } }, async request => ip(request))
app.get('/own', { config: { anything: true } }, async request => ip(request))
app.get('/plain', async request => ip(request))
app.get('/answer', { config: { rateLimit: { max: 5 } } }, async (request, reply) => answer(request, reply))
app.get('/public', { config: { oauth: false } }, async request => ip(request))
app.get('/optional', { config: { oauth: { optional: true } } }, async request => ip(request))
app.get<{ Params: { id: string } }>('/items/:id', async request => `${ip(request)} ${request.params.id}`)
app.addHook('onRequest', async request => void ip(request))
app.addHook<{ Querystring: { page?: string } }>('preHandler', async request => void ip(request))
