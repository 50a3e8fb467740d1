import type { ClientAuth } from 'oauth4webapi'

/**
 * Authenticates with `client_secret_basic` (RFC 6749 §2.3.1). The client id and the secret are encoded with
 * `URLSearchParams`, which leaves `-_.*` unescaped. oauth4webapi would escape these characters. A server that does not
 * decode the client id would then reject every id that contains a hyphen.
 */
export function basic(secret: string): ClientAuth {
  return (_server, { client_id: clientId }, _body, headers) =>
    headers.set('authorization', basicHeader(formEncode(clientId), formEncode(secret)))
}

/**
 * Authenticates with HTTP Basic without form-encoding the client id and the secret, for servers that do not decode
 * these values.
 */
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
