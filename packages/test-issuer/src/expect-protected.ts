import { AssertionError } from 'node:assert'
import { refuseUnknownNames, show } from './known-names.js'
import type { TestIssuer } from './test-issuer.js'
import type { TokenOptions } from './token-options.js'
import type { BadToken } from './check/bad-tokens.js'
import { exampleUrl } from './check/example-url.js'

/** What is needed of an application: Fastify's `inject`. */
export interface InjectableApp {
  inject(request: InjectedRequest): PromiseLike<InjectedAnswer>
  /** fastify-resource-server's list of routes, where it is there. */
  readonly oauth?: { routes(): readonly ListedRoute[] } | undefined
}

interface InjectedRequest {
  readonly method: never
  readonly url: string
  readonly headers: Record<string, string>
  readonly payload?: never
}

interface InjectedAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, unknown>>
}

interface ListedRoute {
  readonly methods: readonly string[]
  readonly url: string
  readonly access: string
  readonly requirement: { readonly scopes: readonly string[]; readonly match: 'all' | 'any' } | null
}

/** A route that has to be protected. */
export interface ProtectedRoute {
  /** Default `GET`. */
  readonly method?: string
  /**
   * As the route has it: `/receipts/:id`, `1` takes the place of a parameter; or with parameters filled in. A colon of
   * its own is `::` in either, as in the routes of Fastify. A query stays as it is.
   */
  readonly url: string
  /** The scopes it demands, all of them. Default: none; any token will do. */
  readonly scopes?: readonly string[]
  /** What a good request needs besides its token. */
  readonly headers?: Readonly<Record<string, string>>
  readonly payload?: string | object
}

/** What {@link expectProtected} takes. */
export interface ExpectProtectedOptions {
  /** The issuer that the application trusts. */
  readonly issuer: TestIssuer
  /** Whom good tokens are for. Default: the issuer's `audience`. */
  readonly audience?: string | readonly string[]
  /** The routes. Default: every protected one that fastify-resource-server lists. */
  readonly routes?: readonly ProtectedRoute[]
  /** More about good tokens: claims that the application demands, say. */
  readonly token?: TokenOptions
}

/**
 * Asks an application for each route: without a token, with each bad token, with a token that lacks one of the scopes,
 * and with a good one that has exactly the scopes.
 * @throws {AssertionError} with a line for each answer that is wrong
 * @throws {TypeError} where nothing would be proved: there are no routes, or an option is not known
 *
 * @example
 * ```ts
 * await expectProtected(app, { issuer, routes: [{ url: '/receipts', scopes: ['receipts:read'] }] })
 * ```
 */
export async function expectProtected(app: InjectableApp, options: ExpectProtectedOptions): Promise<void> {
  refuseUnknownNames('expectProtected()', options, ['issuer', 'audience', 'routes', 'token'])
  if (options.issuer === undefined)
    throw new TypeError('oauth-test-issuer: expectProtected() wants the issuer that the application trusts')
  const routes = options.routes ?? listed(app)
  if (routes.length === 0)
    throw new TypeError('oauth-test-issuer: expectProtected was given no routes: it would prove nothing')
  const wrong: string[] = []
  for (const route of routes) checkGiven(route)
  for (const route of routes) wrong.push(...(await checkRoute(app, route, options)))
  if (wrong.length === 0) return
  throw new AssertionError({
    message: `routes are open, or closed to those who may:\n\n${wrong.map(line => `  ${line}`).join('\n')}\n`,
    actual: wrong,
    expected: [],
    operator: 'expectProtected',
  })
}

function checkGiven(route: ProtectedRoute): void {
  const { url } = Object(route) as { url?: unknown }
  const name = typeof url === 'string' ? nameOf(route) : 'a route of expectProtected()'
  refuseUnknownNames(name, route, ['method', 'url', 'scopes', 'headers', 'payload'])
  if (typeof url !== 'string')
    throw new TypeError(`oauth-test-issuer: ${name} wants a url such as '/receipts', not ${show(url)}`)
}

function listed({ oauth }: InjectableApp): readonly ProtectedRoute[] {
  if (oauth === undefined)
    throw new TypeError(
      'oauth-test-issuer: expectProtected wants `routes`: the application does not list them',
    )
  return oauth
    .routes()
    .filter(({ access }) => access === 'protected')
    .flatMap(({ methods, url, requirement }) =>
      methods
        .filter(method => method !== 'HEAD' && method !== 'OPTIONS')
        .map(method => ({ method, url, scopes: sufficient(requirement) })),
    )
}

/** The fewest scopes that will do. */
function sufficient(requirement: ListedRoute['requirement']): readonly string[] {
  const { scopes, match } = requirement ?? { scopes: [], match: 'all' }
  return match === 'all' ? scopes : scopes.slice(0, 1)
}

async function checkRoute(
  app: InjectableApp,
  route: ProtectedRoute,
  { issuer, audience, token }: ExpectProtectedOptions,
): Promise<readonly string[]> {
  const { scopes = [] } = route
  const good = { ...token, ...(audience === undefined ? {} : { audience }), scopes }
  const ask = asker(app, route)
  const judged: Judged[] = []
  const expect = async (
    what: string,
    credentials: string | undefined,
    expected: Expectation,
  ): Promise<void> => {
    const answer = await ask(credentials)
    judged.push({ what, statusCode: answer.statusCode, problem: problemWith(answer, expected) })
  }

  await expect('a request without a token', undefined, { status: 401, error: undefined })
  for (const { name, why, ...bad } of await issuer.badTokens(good)) {
    await expect(`the bad token \`${name}\`: ${why}`, bad.token, bad)
  }
  for (const missing of scopes.length > 1 ? scopes : []) {
    const lacking = await issuer.token({ ...good, scopes: scopes.filter(scope => scope !== missing) })
    await expect(`a token without the scope ${missing}`, lacking, {
      status: 403,
      error: 'insufficient_scope',
    })
  }
  const wrong = summarise(judged)
  const accepted = await ask(await issuer.token(good))
  if (accepted.statusCode === 401 || accepted.statusCode === 403 || accepted.statusCode >= 500)
    wrong.push(`answers ${accepted.statusCode} to a good token${having(scopes)}`)
  return wrong.map(line => `${nameOf(route)} ${line}`)
}

/** One answer that should have been a refusal; `problem` is undefined where it was. */
interface Judged {
  readonly what: string
  readonly statusCode: number
  readonly problem: string | undefined
}

/** A line for each wrong answer; a single one where the route makes no difference between any of them. */
function summarise(judged: readonly Judged[]): string[] {
  const statuses = new Set(judged.map(({ statusCode }) => statusCode))
  const [status] = statuses
  if (statuses.size === 1 && status !== 401)
    return [`answers ${status} to everybody, without a token and with each of ${judged.length - 1} bad ones`]
  return judged.flatMap(({ what, problem }) => (problem === undefined ? [] : [`${problem} to ${what}`]))
}

interface Expectation {
  readonly status: BadToken['status']
  readonly error: BadToken['error'] | undefined
}

/** RFC 6750 §3: the status, and the challenge that says why. */
function problemWith(
  { statusCode, headers }: InjectedAnswer,
  { status, error }: Expectation,
): string | undefined {
  if (statusCode !== status) return `answers ${statusCode} and not ${status}`
  const challenge = headers['www-authenticate']
  if (typeof challenge !== 'string') return `answers ${status} without a challenge (WWW-Authenticate)`
  if (error !== undefined && !challenge.includes(`error="${error}"`))
    return `answers ${status} with a challenge that does not say ${error}`
  if (error === undefined && challenge.includes('error=')) return 'answers 401 with an error'
  return undefined
}

function asker(
  app: InjectableApp,
  { method = 'GET', url, headers, payload }: ProtectedRoute,
): (token: string | undefined) => PromiseLike<InjectedAnswer> {
  const example = exampleUrl(url)
  return token =>
    app.inject({
      method: method as never,
      url: example,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(payload === undefined ? {} : { payload: payload as never }),
    })
}

function nameOf({ method = 'GET', url }: ProtectedRoute): string {
  return `${method} ${url}`
}

function having(scopes: readonly string[]): string {
  return scopes.length === 0 ? '' : ` with ${scopes.join(' ')}`
}
