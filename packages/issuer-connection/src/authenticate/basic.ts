import type { ClientAuth } from 'oauth4webapi'

/**
 * `client_secret_basic` (RFC 6749 §2.3.1): encodes the client id and the secret as form data, joins them, and encodes
 * the result in base64.
 *
 * Uses the encoding of `URLSearchParams`, which does not escape `-_.*`. oauth4webapi escapes these characters too. That
 * is valid, but servers that do not decode the credentials would reject every id with a hyphen.
 */
export function basic(secret: string): ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) =>
    headers.set('authorization', basicHeader(formEncode(clientId), formEncode(secret)))
}

/** Sends the client id and the secret without form encoding, for servers that do not form-decode these values. */
export function unencodedBasic(secret: string): ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) =>
    headers.set('authorization', basicHeader(clientId, secret))
}

function basicHeader(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
}

function formEncode(text: string): string {
  return new URLSearchParams({ text }).toString().slice('text='.length)
}
