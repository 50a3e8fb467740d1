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
 * Converts a response from the token endpoint to a form that oauth4webapi accepts. The conversion is needed because
 * oauth4webapi also validates members that the client does not use, and accepts errors only in the format of RFC 6749
 * §5.2.
 * @throws {IssuerConnectionError} if the response contains neither a token nor an OAuth error
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

/** Returns true if the body is an OAuth error. Some servers send OAuth errors with status 200. */
function isError(body: JsonObject): boolean {
  const { error, access_token: token } = body
  return typeof error === 'string' && error !== '' && (token === undefined || token === null)
}

/** The supported token types in lower case. */
const tokenTypes: ReadonlySet<string> = new Set(['bearer', 'dpop'])

/**
 * Checks the required members of a token response.
 * @throws {IssuerConnectionError} if a required member is missing or invalid
 */
function checkToken({ access_token: token, token_type: type }: JsonObject, url: string): void {
  if (typeof token !== 'string' || token === '')
    throw new IssuerConnectionError(`${url} responded with 200, but without an access_token (RFC 6749 §5.1)`)
  if (typeof type !== 'string' || !tokenTypes.has(type.toLowerCase()))
    throw new IssuerConnectionError(
      `${url} responded with the token_type ${clip(JSON.stringify(type) ?? 'missing')}, expected Bearer (RFC 6749 §7.1)`,
    )
}

/**
 * Returns the response members that the client uses (RFC 6749 §5.1). All other members are ignored, even if they are
 * invalid.
 */
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
 * Returns `expires_in` in seconds, or undefined if the value is missing or invalid. Some servers send a numeric string,
 * and some send `-1` or `null` for an unlimited lifetime.
 */
function lifetimeIn(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

/** Returns the scopes as a space-separated string (RFC 6749 §3.3), even if the server sent a list. */
function scopeIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) && value.every(member => typeof member === 'string')
    ? value.join(' ')
    : undefined
}

/** The standard error codes of the token endpoint (RFC 6749 §5.2, RFC 8628, RFC 8693, RFC 8707, RFC 9449). */
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

/** Converts an OAuth error with any status and content type to the format of RFC 6749 §5.2. */
function errorResponse(answer: IssuerAnswer, body: JsonObject): Response {
  const status = answer.status < 300 ? 400 : answer.status
  const { error, error_description: description } = body
  const text = typeof description === 'string' ? description : undefined
  // Some frameworks respond to invalid credentials with `{"error":"Unauthorized"}` instead of `invalid_client`.
  if (status === 401 && !knownErrors.has(String(error)))
    return respond(answer, status, {
      error: 'invalid_client',
      error_description: `${clip(String(error))}${text === undefined ? '' : `: ${text}`}`,
    })
  return respond(answer, status, { error, ...(text === undefined ? {} : { error_description: text }) })
}

function unexplained(status: number): string {
  return `the server responded with status ${status} but without an OAuth error code (RFC 6749 §5.2); the client id or the credentials are probably wrong`
}

/**
 * Creates a response for oauth4webapi. Omits `www-authenticate`, because oauth4webapi would report this header instead
 * of the error in the body.
 */
function respond(answer: IssuerAnswer, status: number, body: JsonObject): Response {
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const name of ['retry-after', 'dpop-nonce']) {
    const value = headerOf(answer, name)
    if (value !== undefined) headers.set(name, value)
  }
  return new Response(JSON.stringify(body), { status, headers })
}
