import type { ClientAuth } from 'oauth4webapi'

/**
 * `client_secret_basic` (RFC 6749 §2.3.1): id and secret form-urlencoded, then joined and in base64.
 *
 * The encoding is the one of `URLSearchParams`, which leaves `-_.*` alone. oauth4webapi escapes these too. That is
 * correct, but several servers do not decode at all, and would refuse every id with a hyphen.
 */
export function basic(secret: string): ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) =>
    headers.set('authorization', basicHeader(formEncode(clientId), formEncode(secret)))
}

/** For servers that do not decode credentials, if the id or the secret has characters that the encoding changes. */
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
