import { InvalidOptionError } from '../errors.js'
import { didYouMean, show } from '../suggest.js'
import { isTrustworthyUrl } from '../verify/issuer.js'

/** Options as they came: nothing is known of them yet. */
export type Given = Readonly<Record<string, unknown>>

/** Whether a value has options in it. */
export function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Refuses options that do not exist: a misspelt one would silently do nothing. */
export function refuseUnknown(given: Given, known: readonly string[], at: string): void {
  for (const name of Object.keys(given))
    if (!known.includes(name))
      throw new InvalidOptionError(`there is no option \`${at}${name}\`${didYouMean(name, known)}`)
}

/** An absolute URL that may be trusted, if given. */
export function url(given: Given, name: string, at: string, allowInsecureHttp: boolean): string | undefined {
  const value = given[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !URL.canParse(value)) throw wrong(`${at}${name}`, value, 'an absolute URL')
  refuseUntrustworthy(value, at + name, allowInsecureHttp)
  return value
}

/** What comes from there is believed. */
export function refuseUntrustworthy(value: string, name: string, allowInsecureHttp: boolean): void {
  if (isTrustworthyUrl(value, allowInsecureHttp)) return
  const wanted = allowInsecureHttp
    ? 'an http or https URL'
    : 'an https URL, or http on this machine; or set allowInsecureHttp'
  throw wrong(name, value, wanted)
}

/** A list with at least one name, if given. */
export function strings(given: Given, name: string, at: string): readonly string[] | undefined {
  const value = given[name]
  if (value === undefined) return undefined
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    value.some(member => typeof member !== 'string' || member === '')
  )
    throw wrong(`${at}${name}`, value, 'a list with at least one name')
  return Object.freeze([...(value as string[])])
}

/** true or false. */
export function boolean(given: Given, name: string, fallback: boolean = false, at: string = ''): boolean {
  const { [name]: value = fallback } = given
  if (typeof value !== 'boolean') throw wrong(at + name, value, 'true or false')
  return value
}

/** A duration in milliseconds. One without end would switch off what it bounds. */
export function milliseconds(given: Given, name: string, fallback: number, at: string = ''): number {
  const { [name]: value } = given
  if (value === undefined) return fallback
  if (typeof value !== 'number' || !(value >= 0 && value < Infinity))
    throw wrong(at + name, value, 'milliseconds, as a finite number that is not negative')
  return value
}

/** A whole number. */
export function count(given: Given, name: string, fallback: number, most: number): number {
  const { [name]: value = fallback } = given
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > most)
    throw wrong(name, value, `a whole number from 0 to ${most}`)
  return value as number
}

/** The error that names the option, what it got, and what it wants. */
export function wrong(name: string, value: unknown, wanted: string): Error {
  return new InvalidOptionError(`option \`${name}\` is ${show(value)}; it wants ${wanted}`)
}
