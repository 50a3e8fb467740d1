import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from './database/make-folder.js'
import { given, type Environment } from './environment.js'

/** A shorter secret is the result of an interrupted write. */
const shortest = 32

/**
 * Adds the secret that signs the cart's cookie to the environment. The secret is stored in the demo's folder, so carts
 * survive a restart. If the folder is not writable, the secret is only valid until the process ends.
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
    makeFolder(folder)
    writeFileSync(file, secret, { mode: 0o600 })
  } catch {
    // In a read-only container, carts are lost when the process ends.
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
