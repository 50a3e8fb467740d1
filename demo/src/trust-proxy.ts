import { BlockList, isIP } from 'node:net'
import type { Listening } from './config.js'
import { EnvironmentError, given, type Environment } from './environment.js'

/** Fastify's names for addresses of this machine and of private networks. */
const named = new Set(['loopback', 'linklocal', 'uniquelocal'])

/**
 * Reads the addresses of trusted proxies from `TRUST_PROXY`. Trusting every address is not possible: a client could
 * then choose its own address, and with each a new rate limit.
 * @throws {EnvironmentError}
 */
export function readTrustProxy(env: Environment): Pick<Listening, 'trustProxy'> {
  const value = given(env, 'TRUST_PROXY')
  if (value === undefined) return {}
  if (value.split(',').every(part => isAddress(part.trim()))) return { trustProxy: value }
  throw new EnvironmentError(
    `TRUST_PROXY is ${JSON.stringify(value)}; expected the proxies' addresses or networks, such as ` +
      'loopback or 10.0.0.0/8,fd00::1',
  )
}

function isAddress(part: string): boolean {
  if (named.has(part)) return true
  const [address = '', prefix] = part.split('/')
  const family = isIP(address)
  if (family === 0 || prefix === undefined) return family !== 0
  try {
    new BlockList().addSubnet(
      address,
      /^\d+$/.test(prefix) ? Number(prefix) : -1,
      family === 6 ? 'ipv6' : 'ipv4',
    )
    return true
  } catch {
    return false
  }
}
