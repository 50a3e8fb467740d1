import {
  clip,
  describeAnswer,
  headerOf,
  IssuerConnectionError,
  jsonObjectIn,
  type IssuerAnswer,
  type JsonObject,
} from 'oauth-issuer-connection'

/**
 * Converts a response of the token endpoint into one that oauth4webapi accepts. oauth4webapi also validates members
 * that the client does not use, and accepts errors only in the format of RFC 6749 §5.2.
 * @throws {IssuerConnectionError} if the response is neither a token nor an OAuth error
 */
export function cleanTokenAnswer(answer: IssuerAnswer): Response {
  const { status } = answer
  const body = jsonObjectIn(answer)
  if (body !== undefined && isError(body)) return errorResponse(answer, body)
  if (status >= 200 && status < 300) {
    if (body === undefined) throw new IssuerConnectionError(describeAnswer(answer))
    checkToken(body, answer.url)
    return respond(answer, 200, tokenMembers(body))
  }
  if (status === 401 || status === 400 || status === 403)
    return respond(answer, status, { error: 'invalid_client', error_description: unexplained(status) })
  throw new IssuerConnectionError(describeAnswer(answer), {
    status,
    retryAfter: headerOf(answer, 'retry-after'),
  })
}

/** Detects an OAuth error. Some servers send errors with status 200. */
function isError(body: JsonObject): boolean {
  const { error, access_token: token } = body
  return typeof error === 'string' && error !== '' && (token === undefined || token === null)
}

/** The valid token types in lower case. The requested type is compared later. */
const tokenTypes: ReadonlySet<string> = new Set(['bearer', 'dpop'])

/**
 * Checks the required members of a token response.
 * @throws {IssuerConnectionError} if one is missing or invalid
 */
function checkToken({ access_token: token, token_type: type }: JsonObject, url: string): void {
  if (typeof token !== 'string' || token === '')
    throw new IssuerConnectionError(`${url} responded with 200, but without an access_token (RFC 6749 §5.1)`)
  if (typeof type !== 'string' || !tokenTypes.has(type.toLowerCase()))
    throw new IssuerConnectionError(
      `${url} responded with the token_type ${clip(JSON.stringify(type) ?? 'missing')}, expected Bearer (RFC 6749 §7.1)`,
    )
}

/** Returns the members of RFC 6749 §5.1 that the client uses. Other members are ignored, even if they are invalid. */
function tokenMembers(body: JsonObject): JsonObject {
  const expiresIn = lifetimeIn(body['expires_in'])
  const scope = scopeIn(body['scope'])
  return {
    access_token: body['access_token'],
    token_type: body['token_type'],
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
    ...(scope === undefined ? {} : { scope }),
  }
}

/**
 * Returns the lifetime in seconds, or undefined if it is missing. Some servers send a string, or `-1` or `null` for an
 * unlimited lifetime.
 */
function lifetimeIn(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

/** Returns the scopes, separated by spaces (RFC 6749 §3.3). Some servers send a list. */
function scopeIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) && value.every(member => typeof member === 'string')
    ? value.join(' ')
    : undefined
}

/** Error codes that a 401 response can contain (RFC 6749 §5.2, RFC 8628, RFC 8693, RFC 8707, RFC 9449). */
const knownErrors: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'temporarily_unavailable',
  'server_error',
])

/** Converts an OAuth error of any status and content type. */
function errorResponse(answer: IssuerAnswer, body: JsonObject): Response {
  const status = answer.status < 300 ? 400 : answer.status
  const { error, error_description: description } = body
  const text = typeof description === 'string' ? description : undefined
  // Some frameworks respond with `{"error":"Unauthorized"}`. Any 401 means that the server refused the client.
  if (status === 401 && !knownErrors.has(String(error)))
    return respond(answer, status, {
      error: 'invalid_client',
      error_description: `${clip(String(error))}${text === undefined ? '' : `: ${text}`}`,
    })
  return respond(answer, status, { error, ...(text === undefined ? {} : { error_description: text }) })
}

function unexplained(status: number): string {
  return `the server responded with status ${status} but no OAuth error (RFC 6749 §5.2); it probably rejected the client id or the credentials`
}

/** Omits `www-authenticate`, because oauth4webapi would report the challenge instead of the error in the body. */
function respond(answer: IssuerAnswer, status: number, body: JsonObject): Response {
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const name of ['retry-after', 'dpop-nonce']) {
    const value = headerOf(answer, name)
    if (value !== undefined) headers.set(name, value)
  }
  return new Response(JSON.stringify(body), { status, headers })
}
