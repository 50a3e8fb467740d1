import type {
  ContextConfigDefault,
  FastifyInstance,
  FastifyPluginAsync,
  FastifySchema,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
  RouteGenericInterface,
  RouteOptions,
} from 'fastify'
import fp from 'fastify-plugin'
import { parseRequirement, type Requirement, type RouteRequirement } from './authorize/requirement.js'
import type { AuthOf } from './auth-of.js'
import { createBindingCheck } from './binding/check-binding.js'
import { documentRoute } from './describe/openapi.js'
import { metadataUrl, serveMetadata } from './describe/resource-metadata.js'
import { InvalidOptionError, IssuerError } from './errors.js'
import { createGuard } from './guard.js'
import { parseOptions, type ResourceServerOptions, type Settings } from './options/options.js'
import { createChallenges } from './respond/challenge.js'
import { createRefuse, createRefuseWithProblem } from './respond/refuse.js'
import { createOAuthDecorator, type ResourceServer } from './oauth-decorator.js'
import { listRoutes } from './route-list.js'
import { createTally } from './stats.js'
import { createVerifier, type Verifier } from './verifier.js'
import { isGuarded, markGuarded, nameOf, routesIn } from './watch-routes.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route demands of an access token; `false` makes it public. Nothing said: any valid token. */
    oauth?: RouteRequirement | false
  }
  interface FastifyInstance {
    /** What the resource server does beside guarding routes. */
    oauth: ResourceServer
  }
  // The parameters are Fastify's own, up to the one that is needed: interfaces merge only where they agree.
  interface FastifyRequest<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    ContextConfig = ContextConfigDefault,
  > {
    /**
     * The verified access token of this request. Set on protected routes before any other hook of theirs runs; null
     * on public ones, and where a token is optional and none came.
     */
    auth: AuthOf<ContextConfig>
  }
}

/** Makes a scope one whose routes are protected. */
export const protectRoutes: FastifyPluginAsync<ResourceServerOptions> = async (fastify, options) => {
  if (isGuarded(fastify))
    throw new InvalidOptionError(
      'the scope is protected already: register the plugin once in a scope and its children, several times only in sibling scopes',
    )
  if (fastify.hasRequestDecorator('auth'))
    throw new InvalidOptionError('request.auth exists already, by another plugin')
  if (fastify.hasDecorator('oauth'))
    throw new InvalidOptionError('fastify.oauth exists already, by another plugin')

  const settings = parseOptions(options)
  const verifier = await createVerifier(settings, fastify.log)
  const { dpop, clientCertificate, resourceMetadata, clock } = settings
  const tally = createTally()
  const challenges = createChallenges({
    realm: settings.realm,
    metadataUrl: resourceMetadata === undefined ? undefined : metadataUrl(resourceMetadata.resource),
    dpopAlgorithms: dpop?.algorithms,
  })
  const steps = {
    verifier,
    checkBinding: createBindingCheck(dpop, clientCertificate, clock),
    times: settings,
    tally,
    refuse: (settings.problemDetails ? createRefuseWithProblem : createRefuse)(challenges, tally),
  }
  const readRequirement = requirementReader(settings)
  const routes = routesIn(fastify)

  // A route that asks for something impossible stops the application, not its first caller.
  for (const { options: route } of routes()) readRequirement(route)
  fastify.addHook('onRoute', route => void readRequirement(route))
  // Hooks of other plugins may have had a say since.
  fastify.addHook('onReady', async () => {
    for (const { scope, options: route } of routes()) if (isGuarded(scope)) readRequirement(route)
  })
  markGuarded(fastify)
  fastify.decorateRequest('auth', null as never)
  fastify.decorate(
    'oauth',
    createOAuthDecorator({
      verifier,
      settings,
      log: fastify.log,
      tally,
      list: () => listRoutes(routes(), ({ options: route }) => readRequirement(route)),
      // Its errors may be one of several answers (@fastify/auth), so it never sends a problem by itself.
      guard: requirement =>
        createGuard({
          ...steps,
          refuse: createRefuse(challenges, tally),
          requirementOf: () => requirement,
        }),
    }),
  )
  const requirementOf = rememberRequirements(readRequirement)
  fastify.addHook(
    'onRequest',
    createGuard({
      ...steps,
      // What does not exist stays 404; who guards the handler for it uses `authenticate`.
      requirementOf: request => (request.is404 ? undefined : requirementOf(request.routeOptions)),
    }),
  )
  if (resourceMetadata !== undefined)
    serveMetadata(fastify, resourceMetadata, {
      issuers: settings.issuers.map(({ rules }) => rules.issuer),
      dpopAlgorithms: dpop?.mode === 'off' ? undefined : dpop?.algorithms,
      dpopRequired: dpop?.mode === 'require',
      certificates: clientCertificate !== undefined,
      routes: () => fastify.oauth.routes(),
    })
  fastify.addHook('onReady', async () => warnOfUnguarded(fastify))
  const { securityScheme, problemDetails } = settings
  const refusals = problemDetails ? 'problem' : 'error'
  if (securityScheme !== undefined)
    fastify.addHook('onReady', async () => {
      for (const { scope, options: route, hasOwnSerializer } of routes())
        if (isGuarded(scope))
          documentRoute(route, readRequirement(route), {
            securityScheme,
            refusals: hasOwnSerializer ? undefined : refusals,
          })
    })
  loadKeys(fastify, verifier, settings)
  fastify.addHook('onClose', () => verifier.close())
}

/** Protects every route of the scope in which it is registered, except those with `config: { oauth: false }`. */
const resourceServer: FastifyPluginAsync<ResourceServerOptions> = fp(protectRoutes, {
  fastify: '5.x',
  name: 'fastify-resource-server',
})
export default resourceServer

/** What a route is known by, when it is declared and when it is called. */
type Route = Pick<RouteOptions, 'method'> & { readonly url?: string | undefined; readonly config?: object }

/** Reads what a route demands, as its `config` is now; undefined where it is public. */
function requirementReader(settings: Settings): (route: Route) => Requirement | undefined {
  // A preflight cannot bring credentials, and plugins for CORS cannot say anything of it.
  const forOptions =
    settings.defaultAccess === 'explicit' ? { ...settings, defaultAccess: 'protected' as const } : settings
  return ({ config, method, url = '' }) =>
    parseRequirement(config, nameOf({ method, url }), method === 'OPTIONS' ? forOptions : settings)
}

/** The same, read once for each `config`: that of a request is one stable object. */
function rememberRequirements(
  read: (route: Route) => Requirement | undefined,
): (route: Route & { readonly config: object }) => Requirement | undefined {
  const known = new WeakMap<object, { readonly requirement: Requirement | undefined }>()
  return route => {
    let entry = known.get(route.config)
    if (entry === undefined) known.set(route.config, (entry = { requirement: read(route) }))
    return entry.requirement
  }
}

/** They may be meant to be outside (documentation pages, say), or be there by accident: the operator has to know. */
function warnOfUnguarded(fastify: FastifyInstance): void {
  const routes = fastify.oauth.routes().filter(({ access }) => access === 'unguarded')
  if (routes.length === 0) return
  fastify.log.warn(
    { routes: routes.map(({ methods, url }) => nameOf({ method: [...methods], url })) },
    'routes of child scopes that were registered before fastify-resource-server are not protected',
  )
}

/** Only `required` makes the start wait for the keys, and fail without them. */
function loadKeys(fastify: FastifyInstance, verifier: Verifier, { prefetch }: Settings): void {
  if (prefetch === 'lazy') return
  if (prefetch === 'required') {
    fastify.addHook('onReady', async () => {
      try {
        await verifier.loadKeys()
      } catch (error) {
        throw new IssuerError((error as Error).message)
      }
    })
    return
  }
  let soon: NodeJS.Immediate | undefined
  fastify.addHook('onReady', async () => {
    // In the next turn: the HTTP client takes longer to load than all the rest, and the start does not wait for it.
    soon = setImmediate(() => {
      verifier.loadKeys().catch(() => {}) // logged where it happened; requests are answered with 503 until it works
    })
  })
  fastify.addHook('onClose', async () => clearImmediate(soon))
}
