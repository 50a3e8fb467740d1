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
 * Turns a token endpoint's answer into one that oauth4webapi understands. It validates every member that it knows,
 * although most of them are of no use here, and reads errors only where RFC 6749 §5.2 says they are.
 * @throws {IssuerConnectionError} when the answer is neither a token nor an OAuth error
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

/** Some servers send errors with the status 200. */
function isError(body: JsonObject): boolean {
  const { error, access_token: token } = body
  return typeof error === 'string' && error !== '' && (token === undefined || token === null)
}

/** Token types that exist, in lower case; which of them was requested is compared later. */
const tokenTypes: ReadonlySet<string> = new Set(['bearer', 'dpop'])

/** @throws {IssuerConnectionError} when a member without which there is no token is missing */
function checkToken({ access_token: token, token_type: type }: JsonObject, url: string): void {
  if (typeof token !== 'string' || token === '')
    throw new IssuerConnectionError(`${url} answers 200 without an access_token (RFC 6749 §5.1)`)
  if (typeof type !== 'string' || !tokenTypes.has(type.toLowerCase()))
    throw new IssuerConnectionError(
      `${url} answers 200 with the token_type ${clip(JSON.stringify(type) ?? 'missing')}, expected Bearer (RFC 6749 §7.1)`,
    )
}

/** The members of RFC 6749 §5.1 that are used. Any other cannot make a good token unusable. */
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

/** Seconds; undefined if the server does not say. Some servers write `-1` or `null` for "unlimited", or a string. */
function lifetimeIn(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}

/** RFC 6749 §3.3: delimited by spaces; some servers send a list. */
function scopeIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) && value.every(member => typeof member === 'string')
    ? value.join(' ')
    : undefined
}

/** Error codes of RFC 6749 §5.2, RFC 8628, RFC 8693, RFC 8707 and RFC 9449 that a 401 may well have. */
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

/** An OAuth error, whatever the status and the content type. */
function errorResponse(answer: IssuerAnswer, body: JsonObject): Response {
  const status = answer.status < 300 ? 400 : answer.status
  const { error, error_description: description } = body
  const text = typeof description === 'string' ? description : undefined
  // Frameworks answer `{"error":"Unauthorized"}` by themselves: a 401 concerns the client all the same.
  if (status === 401 && !knownErrors.has(String(error)))
    return respond(answer, status, {
      error: 'invalid_client',
      error_description: `${clip(String(error))}${text === undefined ? '' : `: ${text}`}`,
    })
  return respond(answer, status, { error, ...(text === undefined ? {} : { error_description: text }) })
}

function unexplained(status: number): string {
  return `the server answers ${status} without an OAuth error (RFC 6749 §5.2); most likely it refuses the client id or its credentials`
}

/** Without `www-authenticate`: oauth4webapi would report the challenge instead of the error in the body. */
function respond(answer: IssuerAnswer, status: number, body: JsonObject): Response {
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const name of ['retry-after', 'dpop-nonce']) {
    const value = headerOf(answer, name)
    if (value !== undefined) headers.set(name, value)
  }
  return new Response(JSON.stringify(body), { status, headers })
}
