import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { given, type Environment } from './environment.js'

/** Shorter ones were cut off while they were written. */
const shortest = 32

/**
 * The environment with the secret that signs the cart's cookie. It is kept in the demo's folder, so that a cart survives
 * a restart; where nothing can be kept, it is made for this start.
 */
export function withCookieSecret(env: Environment): Environment {
  if (given(env, 'COOKIE_SECRET') !== undefined) return env
  return { ...env, COOKIE_SECRET: keptSecret(given(env, 'DEMO_FOLDER') ?? '.demo') }
}

function keptSecret(folder: string): string {
  const file = join(folder, 'cookie-secret')
  const kept = read(file)
  if (kept.length >= shortest) return kept
  const secret = randomBytes(32).toString('base64url')
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, secret, { mode: 0o600 })
  } catch {
    // A container that can write nothing keeps its carts until it ends.
  }
  return secret
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}
