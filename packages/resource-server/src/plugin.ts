import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { AccessToken } from './access-token.js'
import { checkScopes } from './authorize/check-scopes.js'
import { parseRequirement, type Requirement, type RouteRequirement } from './authorize/requirement.js'
import { isObserved, report } from './diagnostics.js'
import { InvalidOptionError, IssuerError, Refusal } from './errors.js'
import { extractBearerToken } from './extract-token.js'
import { parseOptions, type ResourceServerOptions, type Settings } from './options.js'
import { createChallenges } from './respond/challenge.js'
import { createResponder, type Respond } from './respond/refuse.js'
import { createVerifier, type Verifier } from './verify/verifier.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route demands of an access token; `false` makes it public. Nothing said: any valid token. */
    oauth?: RouteRequirement | false
  }
  interface FastifyRequest {
    /** The verified access token of this request. Set on protected routes before any other hook of theirs runs. */
    auth: AccessToken
  }
}

const publicRoute = Symbol('public route')

const plugin: FastifyPluginAsync<ResourceServerOptions> = async (fastify, options) => {
  if (fastify.hasRequestDecorator('auth'))
    throw new InvalidOptionError(
      'request.auth exists already: register the plugin once in a scope and its children, several times only in sibling scopes',
    )

  const settings = parseOptions(options)
  const verifier = await createVerifier(settings, fastify.log)
  const guard = createGuard(
    verifier,
    createResponder(createChallenges(settings.realm), settings.problemDetails),
    requirementsOf(settings),
  )

  fastify.decorateRequest('auth', null as never)
  // A route that asks for something impossible stops the application, not its first caller.
  fastify.addHook('onRoute', route => requirementAtBoot(route, settings))
  fastify.addHook('onRequest', guard)
  loadKeys(fastify, verifier, settings)
  fastify.addHook('onClose', () => verifier.close())
}

/** Protects every route of the scope in which it is registered, except those with `config: { oauth: false }`. */
const resourceServer: FastifyPluginAsync<ResourceServerOptions> = fp(plugin, {
  fastify: '5.x',
  name: 'fastify-resource-server',
})
export default resourceServer

function requirementAtBoot({ method, url, config }: RouteOptions, settings: Settings): void {
  parseRequirement(config, `${[method].flat().join(', ')} ${url}`, settings)
}

type RequirementOf = (request: FastifyRequest) => Requirement | typeof publicRoute

/** A route's requirement, parsed once for each route: `config` is one stable object. */
function requirementsOf(settings: Settings): RequirementOf {
  const parsed = new WeakMap<object, Requirement | typeof publicRoute>()
  return ({ routeOptions: { config, method, url = '' } }) => {
    const known = parsed.get(config)
    if (known !== undefined) return known
    const requirement =
      parseRequirement(config, `${[method].flat().join(', ')} ${url}`, settings) ?? publicRoute
    parsed.set(config, requirement)
    return requirement
  }
}

type Guard = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

/** Request → token → verify → scopes → `request.auth`. Synchronous where verification is. */
function createGuard(verifier: Verifier, respond: Respond, requirementOf: RequirementOf): Guard {
  return (request, reply, done) => {
    // What doesn't exist stays 404, and a preflight comes without credentials by design (Fetch Standard).
    if (request.is404 || isPreflight(request)) return done()
    const requirement = requirementOf(request)
    if (requirement === publicRoute) return done()

    const startedAt = performance.now()
    const allow = (token: AccessToken): void => {
      checkScopes(token, requirement)
      request.auth = token
      if (isObserved('fastify-resource-server:allow')) reportAllowed(request, token, startedAt)
    }
    const refuse = (error: unknown): void => {
      const failure = respond(request, reply, { error, requirement, startedAt })
      if (!reply.sent) done(failure)
    }

    try {
      const token = extractBearerToken(request.raw)
      if (typeof token !== 'string') {
        if (requirement.optional && 'missing' in token) return done()
        throw 'missing' in token
          ? new Refusal('missing')
          : new Refusal('credentials', 'the Authorization header is no single bearer token')
      }
      const verified = verifier.verify(token)
      if (verified instanceof Promise) {
        verified.then(allow).then(() => done(), refuse)
        return
      }
      allow(verified)
    } catch (error) {
      return refuse(error)
    }
    done()
  }
}

/** `routeOptions` is made anew whenever it is read, so it is read last. */
function isPreflight(request: FastifyRequest): boolean {
  if (request.method !== 'OPTIONS') return false
  const { origin, 'access-control-request-method': method } = request.headers
  return origin !== undefined && method !== undefined && request.routeOptions.config.oauth === undefined
}

function reportAllowed(request: FastifyRequest, token: AccessToken, startedAt: number): void {
  const { issuer, subject, clientId, scopes, audience, expiresAt } = token
  const durationMs = performance.now() - startedAt
  report('fastify-resource-server:allow', {
    request,
    issuer,
    subject,
    clientId,
    scopes,
    audience,
    expiresAt,
    durationMs,
  })
}

/** Keys are fetched before the first request needs them; only `requireKeysAtBoot` makes the start wait and fail. */
function loadKeys(fastify: FastifyInstance, verifier: Verifier, { requireKeysAtBoot }: Settings): void {
  fastify.addHook('onReady', async () => {
    const loaded = verifier.loadKeys()
    if (!requireKeysAtBoot) {
      loaded.catch(() => {}) // logged where it happened; requests are answered with 503 until it works
      return
    }
    try {
      await loaded
    } catch (error) {
      throw new IssuerError((error as Error).message)
    }
  })
}
