import type { Algorithm } from './issuer.js'
import type { LoadedServer } from './load-contender.js'
import type { Load } from './load.js'
import type { ServerProcess } from './server-process.js'
import type { Trust } from '../servers/trust.js'

export const ours = 'fastify-resource-server'
export const oneThread = 'fastify-resource-server, one thread'
export const bare = 'bare Fastify'
export const limit = 'limit'
export const least = 'the least'

const servers = [
  [bare, 'bare-fastify', {}],
  [limit, 'limit', {}],
  [least, 'least', {}],
  [ours, 'resource-server', {}],
  [oneThread, 'resource-server', { options: { verifyInThreadPool: false } }],
  ['jose in a hook', 'jose', {}],
  ['fastify-jwt-jwks', 'fastify-jwt-jwks', {}],
  ['@fastify/jwt + get-jwks', 'fastify-jwt', {}],
  ['express-oauth2-jwt-bearer', 'express', {}],
] as const

/** The same protected route in each server, under the same load. */
export function protectedRoutes(trust: Trust, algorithm: Algorithm, load: Load): LoadedServer[] {
  const [authorization = ''] = load.credentials
  return servers.map(([name, file, more]) => ({
    name,
    file: `servers/${file}`,
    config: { ...trust, algorithm, ...more },
    load,
    prepare: server => accepting(server, authorization),
  }))
}

/** Not every peer supports every algorithm. */
async function accepting(server: ServerProcess, authorization: string): Promise<ServerProcess | null> {
  const { status } = await fetch(`${server.url}/orders`, { headers: { authorization } })
  return status === 200 ? server : null
}
