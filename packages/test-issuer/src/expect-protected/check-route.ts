import type { BadToken } from '../check/bad-tokens.js'
import type { TestIssuer } from '../test-issuer.js'
import type { TokenOptions } from '../token-options.js'
import { exampleUrl } from './example-url.js'
import type { InjectableApp, InjectedAnswer } from './injectable-app.js'
import type { ExpectProtectedOptions } from './options.js'
import { nameOf, type ProtectedRoute } from './protected-route.js'

/**
 * Sends requests to a route with a valid token, with invalid tokens and without a token. Returns a one-line description
 * of each wrong response.
 */
export async function checkRoute(
  app: InjectableApp,
  route: ProtectedRoute,
  { issuer, audience, token }: ExpectProtectedOptions,
): Promise<readonly string[]> {
  const good = { ...token, ...(audience === undefined ? {} : { audience }), scopes: route.scopes ?? [] }
  const ask = asker(app, route)
  const judged: Judged[] = []
  for (const { what, credentials, expected } of await badRequests(issuer, good)) {
    const answer = await ask(credentials)
    judged.push({ what, statusCode: answer.statusCode, problem: problemWith(answer, expected) })
  }
  const wrong = summarise(judged)
  const { statusCode } = await ask(await issuer.token(good))
  if (statusCode === 401 || statusCode === 403 || statusCode >= 500)
    wrong.push(`returned ${statusCode} for a valid token${having(good.scopes)}`)
  return wrong.map(line => `${nameOf(route)} ${line}`)
}

/** A request that the route must reject. */
interface BadRequest {
  readonly what: string
  /** The token, or undefined for a request without a token. */
  readonly credentials: string | undefined
  readonly expected: Expectation
}

async function badRequests(
  issuer: TestIssuer,
  good: TokenOptions & { readonly scopes: readonly string[] },
): Promise<readonly BadRequest[]> {
  const requests: BadRequest[] = [
    {
      what: 'a request without a token',
      credentials: undefined,
      expected: { status: 401, error: undefined },
    },
  ]
  for (const { name, why, token, status, error } of await issuer.badTokens(good))
    requests.push({
      what: `the invalid token \`${name}\`: ${why}`,
      credentials: token,
      expected: { status, error },
    })
  if (good.scopes.length < 2) return requests
  for (const missing of good.scopes) {
    const credentials = await issuer.token({
      ...good,
      scopes: good.scopes.filter(scope => scope !== missing),
    })
    const expected = { status: 403, error: 'insufficient_scope' } as const
    requests.push({ what: `a token without the scope ${missing}`, credentials, expected })
  }
  return requests
}

/** The response to a request that the route must reject. If the response is correct, `problem` is undefined. */
interface Judged {
  readonly what: string
  readonly statusCode: number
  readonly problem: string | undefined
}

/** Returns one line for each wrong response, or a single line if all responses have the same wrong status code. */
function summarise(judged: readonly Judged[]): string[] {
  const statuses = new Set(judged.map(({ statusCode }) => statusCode))
  const [status] = statuses
  if (statuses.size === 1 && status !== 401)
    return [
      `returned ${status} for every request, both without a token and with each of ${judged.length - 1} invalid tokens`,
    ]
  return judged.flatMap(({ what, problem }) => (problem === undefined ? [] : [`${problem} for ${what}`]))
}

/** The correct response to a request that the route must reject. */
interface Expectation {
  readonly status: BadToken['status']
  readonly error: BadToken['error'] | undefined
}

/**
 * Checks the status code and the `WWW-Authenticate` challenge of a response (RFC 6750 §3). Returns undefined if both
 * are correct.
 */
function problemWith(
  { statusCode, headers }: InjectedAnswer,
  { status, error }: Expectation,
): string | undefined {
  if (statusCode !== status) return `returned ${statusCode} instead of ${status}`
  const challenge = headers['www-authenticate']
  if (typeof challenge !== 'string') return `returned ${status} without a challenge (WWW-Authenticate)`
  if (error !== undefined && !challenge.includes(`error="${error}"`))
    return `returned ${status} with a challenge that does not contain the error code ${error}`
  if (error === undefined && challenge.includes('error='))
    return 'returned 401 with an error in the challenge, although the request had no token'
  return undefined
}

function asker(
  app: InjectableApp,
  { method = 'GET', url, headers, payload }: ProtectedRoute,
): (token: string | undefined) => PromiseLike<InjectedAnswer> {
  const example = exampleUrl(url)
  return token =>
    app.inject({
      // The casts are needed because Fastify's types for `method` and `payload` are narrower than string and object.
      method: method as never,
      url: example,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(payload === undefined ? {} : { payload: payload as never }),
    })
}

function having(scopes: readonly string[]): string {
  return scopes.length === 0 ? '' : ` with ${scopes.join(' ')}`
}
