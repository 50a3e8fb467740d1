import type { Place } from './place.js'

const longest = 100

/** Creates an error that shows the invalid value and describes the valid values. */
export function invalid({ option, toError }: Place, value: unknown, expected: string): Error {
  return toError(`option \`${option}\` is ${show(value)}; expected ${expected}`)
}

/** Returns whether a value is an object other than an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Returns whether a value is a plain object. Options cannot be read from a Promise, a Map or an instance of most
 * classes, because such objects do not store their data in own properties.
 */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // This check also accepts plain objects from other realms, such as a `node:vm` context, because the prototype of Object.prototype is null in every realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/**
 * Formats a value for an error message and shortens it to 100 characters. For an object, shows only the property names, because
 * the values may be secrets.
 */
export function show(value: unknown): string {
  const text = Array.isArray(value) ? `[${value.slice(0, longest).map(showOne).join(', ')}]` : showOne(value)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

function showOne(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, longest + 1))
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  if (!isPlainObject(value)) return instanceName(value)
  const names = Object.keys(value).slice(0, longest).join(', ')
  return names === '' ? '{}' : `{ ${names} }`
}

function instanceName(value: object): string {
  if (value instanceof Promise) return 'a Promise (is an `await` missing?)'
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object'
    ? `an instance of ${name.slice(0, longest)}`
    : 'an object with a custom prototype'
}

/** Describes the type of a value, for error messages that must not show the value itself. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (value === '') return 'empty'
  if (typeof value === 'string') return 'text'
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'object') return `a ${typeof value}`
  return isPlainObject(value) ? 'an object' : instanceName(value)
}
