import type { Dispatcher, FormData as UndiciFormData } from 'undici'
import { headerOf } from '../attach/header-pairs.js'
import { withHeaders } from '../attach/with-headers.js'
import { loadUndici } from './load-undici.cjs'

/** Which web standard a value implements: Node's globals and undici's npm package have classes of their own. */
export function standardOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const tag: unknown = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  return typeof tag === 'string' ? tag : undefined
}

/** Makes a form, of whichever class, one of the class that this undici sends as a form. */
export function toUndiciForm(body: unknown): UndiciFormData {
  const { FormData } = loadUndici()
  if (body instanceof FormData) return body
  const form = new FormData()
  // Told by its tag: it has the entries of a form.
  for (const [name, value] of body as Iterable<[string, string | File]>)
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, value, value.name)
  return form
}

/** undici's `request` knows neither Node's FormData nor URLSearchParams. */
export function withKnownBody<Call extends Dispatcher.DispatchOptions>(call: Call): Call {
  const { body } = call
  if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body)) return call
  const standard = standardOf(body)
  if (standard === 'FormData') return { ...call, body: toUndiciForm(body) }
  if (standard !== 'URLSearchParams') return call
  // Told by its tag, also if it is of another class.
  const form = { ...call, body: (body as unknown as URLSearchParams).toString() }
  if (headerOf(call.headers, 'content-type') !== undefined) return form
  // The same call with one more header, so still of the same type.
  return withHeaders(form, {
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
  }) as unknown as Call
}
