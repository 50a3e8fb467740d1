import type { Comparison, Goal } from './comparison.js'
import { asPeer } from './contender.js'
import { bearerTokens, startIssuer, type Algorithm } from './issuer.js'
import { underLoad, type LoadedServer } from './load-contender.js'
import type { Load } from './load.js'
import { measureProcesses } from './measure-processes.js'
import type { ServerProcess } from './server-process.js'
import type { Effort } from '../questions/question.js'
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

const peers: ReadonlySet<string> = new Set([
  'jose in a hook',
  'fastify-jwt-jwks',
  '@fastify/jwt + get-jwks',
  'express-oauth2-jwt-bearer',
])

/** The same protected route in each server, under the same load. */
function protectedRoutes(trust: Trust, algorithm: Algorithm, load: Load): LoadedServer[] {
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

/** What is asked of the route. */
interface Asked {
  readonly title: string
  /** How many tokens are sent in turn. */
  readonly tokens: number
  readonly baselines: readonly string[]
  readonly goals: readonly Goal[]
  /** Servers that are not measured. */
  readonly without?: readonly string[]
}

/** Measures the route of each server. */
export async function compareRoutes(
  algorithm: Algorithm,
  effort: Effort,
  { title, tokens, baselines, goals, without = [] }: Asked,
): Promise<Comparison> {
  effort.tell(`${title}: signing tokens`)
  const { issuer, trust } = await startIssuer(algorithm)
  try {
    const credentials = await bearerTokens(issuer, tokens)
    const load = { path: '/orders', credentials, seconds: effort.secondsPerSlice }
    const routes = protectedRoutes(trust, algorithm, load).filter(({ name }) => !without.includes(name))
    const measured = await measureProcesses(
      routes.map(route => {
        const contender = underLoad(route, effort.load)
        return peers.has(route.name) ? asPeer(contender) : contender
      }),
      effort,
      what => effort.tell(`${title}: ${what}`),
    )
    return { title, unit: 'requests/s', ...measured, baselines, goals }
  } finally {
    await issuer.close()
  }
}
