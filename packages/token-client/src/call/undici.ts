import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** undici takes longer to load than the rest of the package: an application's start does not wait for it. */
export function loadUndici(): typeof import('undici') {
  return require('undici') as typeof import('undici')
}
