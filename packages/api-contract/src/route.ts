import type {
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  FastifyTypeProviderDefault,
  RawServerDefault,
  RouteGenericInterface,
} from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Answer, AnswerTo } from './answer.js'
import { expect } from './check-definition.js'
import { BrokenContractError } from './errors.js'
import type { BodyOf, Operation, Operations } from './operation.js'
import { loadCompiler, schemaProblems } from './schema-problems.js'

/** The type of `config.oauth`, which fastify-resource-server reads. */
export type OAuthRule<Scopes> = Scopes extends 'public'
  ? false
  : Scopes extends readonly [string, ...string[]]
    ? { readonly scopes: Scopes }
    : { readonly scopes?: never }

// Fastify's request type, without the types of the operation's parameters and body. `RequestFor` adds these types separately, which saves the compiler time.
export type RequestOf<Rule> = FastifyRequest<
  RouteGenericInterface,
  RawServerDefault,
  IncomingMessage,
  FastifySchema,
  FastifyTypeProviderDefault,
  { readonly oauth: Rule }
>

/** Fastify's request, with the operation's types. fastify-resource-server adds `auth`. */
export type RequestFor<Op extends Operation> = (Op['scopes'] extends 'public'
  ? RequestOf<false>
  : RequestOf<{ readonly scopes?: never }>) & {
  readonly params: BodyOf<Op['params']>
  readonly query: BodyOf<Op['query']>
  readonly body: BodyOf<Op['body']>
}

export type Requests<O> = {
  readonly [Name in keyof O]: O[Name] extends Operation ? RequestFor<O[Name]> : never
}

export type Answers<O> = { readonly [Name in keyof O]: O[Name] extends Operation ? AnswerTo<O[Name]> : never }

export type Handler<O extends Operations, Name extends keyof O> = (
  request: Requests<O>[Name],
  reply: FastifyReply,
) => Answers<O>[Name] | Promise<Answers<O>[Name]>

export interface Route<Op extends Operation = Operation> {
  readonly method: Op['method']
  readonly url: Op['path']
  readonly schema: FastifySchema
  readonly config: { readonly oauth: OAuthRule<Op['scopes']> }
  readonly handler: (request: unknown, reply: unknown) => Promise<never>
}

/** Creates the return value of a handler, as in `answer(201, receipt)`, and keeps the literal type of the status. */
export function answer<const Status extends number>(status: Status): Answer<Status, undefined>
export function answer<const Status extends number, Body>(
  status: Status,
  body: Body,
  headers?: Readonly<Record<string, string>>,
): Answer<Status, Body>
export function answer(
  status: number,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, body, headers }
}

/** @internal */
export function routeFor<Op extends Operation>(name: string, operation: Op, handler: unknown): Route<Op> {
  expect(typeof handler === 'function', `${name}: handler`, handler, 'a function')
  const { method, path: url, scopes, query, responses, params, body, summary } = operation
  const response = Object.entries(responses).map(([status, schema]) => [status, schema ?? noBody])
  const schema = {
    operationId: name,
    ...(summary && { summary }),
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && { body }),
    response: Object.fromEntries(response),
  }
  const oauth = scopes === 'public' ? false : scopes.length > 0 ? { scopes } : {}
  // The cast is needed because the compiler cannot derive the precise types of `config.oauth` and `handler`.
  return {
    method,
    url,
    schema,
    config: { oauth },
    handler: guarded(name, operation, handler as never),
  } as never
}

/** @fastify/swagger documents this schema as a response without content. */
const noBody = { type: 'null', description: 'No content' }

interface Reply {
  code(status: number): Reply
  headers(headers: object): Reply
  type(contentType: string): Reply
  send(payload?: string): Reply
}

function guarded(
  name: string,
  { scopes, responses }: Operation,
  handler: (request: object, reply: Reply) => unknown,
) {
  return async (request: { auth?: unknown }, reply: Reply): Promise<unknown> => {
    if (scopes !== 'public' && request.auth === undefined)
      throw new BrokenContractError(
        name,
        'request.auth is unset; register fastify-resource-server or, if a gateway checks tokens, set request.auth with your own decorator',
      )
    const result = (await handler(request, reply)) as Partial<Answer> | undefined
    const { status = 0, body, headers = {} } = result ?? {}
    const schema = responses[status]
    if (schema === undefined)
      throw new BrokenContractError(
        name,
        `the handler returned status ${status}; expected answer(…) with ${Object.keys(responses).join(', ')}`,
      )
    reply.code(status).headers(headers)
    if (schema === null) return reply.send()
    const problems = await schemaProblems(schema, body)
    if (problems) throw new BrokenContractError(name, `${status}: ${problems}`)
    // Fastify serializes only objects as JSON. It would send a string as plain text, and null as an empty body.
    return typeof body === 'object' && body !== null
      ? body
      : reply.type('application/json').send(JSON.stringify(body))
  }
}

// The members of a Fastify instance that `requireRoutes` uses.
export interface Application {
  readonly prefix: string
  hasRoute(route: { method: string; url: string }): boolean
  addHook(name: 'onReady', hook: () => Promise<void>): unknown
}

// Checks the routes in the `onReady` hook, because routes can still be registered after this plugin.
/** @internal */
export async function requireRoutes(operations: Operations, app: Application): Promise<void> {
  app.addHook('onReady', async () => {
    const missing = Object.entries(operations)
      .map(([name, { method, path }]) => ({ name, method, url: app.prefix + path }))
      .filter(route => !app.hasRoute(route))
      .map(({ name, method, url }) => `${name} (${method} ${url})`)
    expect(
      missing.length === 0,
      `the route of ${missing.join(', ')}`,
      undefined,
      'app.route(api.route(name, handler))',
    )
    await loadCompiler()
  })
}
