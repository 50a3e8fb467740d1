import type { Dispatcher } from 'undici'
import { isOfOtherUndici } from '../call/undici.js'
import { InvalidOptionError } from '../errors.js'
import { isTrustworthy } from '../trustworthy.js'

/** Options as they come: nothing is known of them. */
export type Given = Readonly<Record<string, unknown>>

/** An https URL, or plain http on this machine. */
export function url(given: Given, name: string, insecure: boolean): string | undefined {
  const value = given[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !URL.canParse(value)) throw wrong(name, value, 'an absolute URL')
  const { username, password } = new URL(value)
  if (username !== '' || password !== '')
    throw new InvalidOptionError(`option \`${name}\` holds a user name or password; give the URL without it`)
  if (!insecure && !isTrustworthy(value))
    throw wrong(name, value, 'an https URL, or http on this machine; or set allowInsecureHttp')
  return value
}

export function text(given: Given, name: string): string | undefined {
  const value = given[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw wrong(name, value, 'text')
  return value
}

export function strings(given: Given, name: string): readonly string[] {
  const { [name]: value = [] } = given
  if (!Array.isArray(value) || value.some(member => typeof member !== 'string' || member === ''))
    throw wrong(name, value, 'a list of strings')
  return value as string[]
}

export function fraction(given: Given, name: string, fallback: number): number {
  const { [name]: value = fallback } = given
  if (typeof value !== 'number' || !(value > 0 && value < 1))
    throw wrong(name, value, 'a number between 0 and 1')
  return value
}

export function milliseconds(given: Given, name: string, fallback: number, at: string = ''): number {
  const { [name]: value = fallback } = given
  // Timers count in 32 bits.
  if (typeof value !== 'number' || !(value > 0 && value < 2 ** 31))
    throw wrong(at + name, value, 'milliseconds, as a finite number above 0')
  return value
}

export function boolean(given: Given, name: string): boolean {
  const { [name]: value = false } = given
  if (typeof value !== 'boolean') throw wrong(name, value, 'true or false')
  return value
}

/** A clock, or chance: asked once, since a comparison with what is no number holds for nothing, and tokens would not end. */
export function numbers(
  given: Given,
  name: string,
  wanted: string,
  isRight: (value: number) => boolean,
): (() => number) | undefined {
  const value = given[name]
  if (value === undefined) return undefined
  if (typeof value !== 'function') throw wrong(name, value, `a function that returns ${wanted}`)
  const first: unknown = value()
  if (typeof first !== 'number' || !isRight(first))
    throw new InvalidOptionError(
      `option \`${name}\` gives ${written(first)}; it wants a function that returns ${wanted}`,
    )
  return value as () => number
}

export function oneOf<T extends string>(given: Given, name: string, allowed: readonly T[], fallback: T): T {
  const { [name]: value = fallback } = given
  if (!allowed.includes(value as T)) throw wrong(name, value, allowed.map(member => `'${member}'`).join(', '))
  return value as T
}

export function dispatcher(given: Given, name: string): Dispatcher | undefined {
  const value = given[name] as { dispatch?: unknown; compose?: unknown } | undefined
  if (value === undefined) return undefined
  if (typeof value?.dispatch !== 'function' || typeof value.compose !== 'function')
    throw new InvalidOptionError(`option \`${name}\` wants a dispatcher of undici 7, such as new Agent(…)`)
  if (isOfOtherUndici(value as unknown as Dispatcher))
    throw new InvalidOptionError(
      `option \`${name}\` is a dispatcher of another major version of undici; it wants one of undici 7 (npm i undici@7)`,
    )
  return value as unknown as Dispatcher
}

/** A key or certificate that nobody can read shows now, not with the first call; the message holds nothing of it. */
export function checkPem(name: string, value: unknown, read: (pem: string) => unknown, wanted: string): void {
  if (typeof value !== 'string') return
  try {
    read(value)
  } catch {
    throw new InvalidOptionError(
      `option \`${name}\` is no ${wanted} that can be read (has it lost its line breaks on its way through the environment?)`,
    )
  }
}

/** @throws {InvalidOptionError} always */
export function missing(name: string, wanted: string): never {
  throw new InvalidOptionError(`option \`${name}\` is missing; it wants ${wanted}`)
}

/** Never for an option that holds a secret: the message shows what was given. */
export function wrong(name: string, value: unknown, wanted: string): Error {
  return new InvalidOptionError(`option \`${name}\` is ${written(value)}; it wants ${wanted}`)
}

function written(value: unknown): string {
  const shown = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return shown.slice(0, 100)
}
