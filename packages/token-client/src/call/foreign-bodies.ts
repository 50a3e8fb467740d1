import type { Dispatcher, FormData as UndiciFormData } from 'undici'
import { headerOf } from '../attach/header-pairs.js'
import { withHeaders } from '../attach/with-headers.js'
import { loadUndici } from './load-undici.cjs'

/**
 * Returns the standard class that a value implements, such as `FormData`. `instanceof` is not sufficient, because
 * Node.js and the npm package undici have different classes.
 */
export function standardOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const tag: unknown = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  return typeof tag === 'string' ? tag : undefined
}

/** Converts a FormData object of any class to undici's FormData class. */
export function toUndiciForm(body: unknown): UndiciFormData {
  const { FormData } = loadUndici()
  if (body instanceof FormData) return body
  const form = new FormData()
  // This cast is safe because the value's `Symbol.toStringTag` is `FormData`.
  for (const [name, value] of body as Iterable<[string, string | File]>)
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, value.name)
  return form
}

/**
 * Converts a body of Node.js's class FormData or URLSearchParams, because undici's `request` does not accept these
 * classes.
 */
export function withKnownBody<Call extends Dispatcher.DispatchOptions>(call: Call): Call {
  const { body } = call
  if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body)) return call
  const standard = standardOf(body)
  if (standard === 'FormData') return { ...call, body: toUndiciForm(body) }
  if (standard !== 'URLSearchParams') return call
  // This cast is safe because the value's `Symbol.toStringTag` is `URLSearchParams`.
  const form = { ...call, body: (body as unknown as URLSearchParams).toString() }
  if (headerOf(call.headers, 'content-type') !== undefined) return form
  // This cast is safe because an additional header does not change the type of the call.
  return withHeaders(form, {
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
  }) as unknown as Call
}
