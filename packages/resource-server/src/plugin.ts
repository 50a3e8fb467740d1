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
} from 'fastify'
import fp from 'fastify-plugin'
import { asError } from 'oauth-issuer-connection'
import type { RouteRequirement } from './authorize/route-requirement.js'
import type { AuthOf } from './auth-of.js'
import { enforceBinding, reportBinding } from './binding/choose-binding-check.js'
import { documentRoutes, publishMetadata } from './describe-api.js'
import { metadataUrl } from './describe/resource-metadata.js'
import { writeLog } from './diagnostics.js'
import { GuardFailedError, InvalidOptionError } from './errors.js'
import { createGuard, type Guard, type GuardSteps } from './guard.js'
import { parseOptions, type ResourceServerOptions, type Settings } from './options/options.js'
import { createReportedRefusals } from './report-only/reported-refusals.js'
import { createRuleReport } from './report-only/reported-rule.js'
import { createReportOnlyGuard } from './report-only-guard.js'
import { runVerifier } from './run-verifier.js'
import { createAllow, withAuth } from './respond/allow.js'
import { createChallenges, type Challenges } from './respond/challenge.js'
import { createRefuse, withProblemDetails, type Refuse } from './respond/refuse.js'
import { challengeWithdrawal } from './respond/withdraw-challenge.js'
import { createOAuthDecorator, type ResourceServer } from './oauth-decorator.js'
import { listRoutes } from './route-list.js'
import { createTally } from './stats.js'
import { createCachedVerifier } from './verifier.js'
import { checkRoutes, declarationOf, rememberRequirements, requirementReader } from './route-rules.js'
import { guardScope } from './scopes.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route's rule, or `false` to make the route public. If unset, the plugin's `defaultAccess` applies. */
    oauth?: RouteRequirement | false
  }
  interface FastifyInstance {
    /** The methods of the resource server, such as `verify`, `explain`, `authenticate` and `stats`. */
    oauth: ResourceServer
  }
  interface FastifyRequest<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    ContextConfig = ContextConfigDefault,
  > {
    /**
     * The verified access token of this request. On protected routes, it is set before any other hook runs. It is null
     * on public routes, and on routes with an optional token if the request has no token.
     */
    auth: AuthOf<ContextConfig>
  }
}

/**
 * Protects the routes of a Fastify scope and its child scopes with a hook. The hook is added before the options are
 * read, and refuses every request until the plugin has been registered. Routes are therefore protected even if the
 * application ignores a failed registration.
 * @param readSettings reads the options. It is called after the hook has been added
 */
export async function protectScope(fastify: FastifyInstance, readSettings: () => Settings): Promise<void> {
  let guard: Guard = refuseAll()
  fastify.addHook('onRequest', (request, reply, done) => guard(request, reply, done))
  // `after` waits until Fastify has added the hook, so that the hook protects the routes even if registering the plugin then fails.
  await fastify.after()
  try {
    guard = await setUp(fastify, readSettings())
  } catch (thrown) {
    const error = asError(thrown)
    guard = refuseAll(error)
    throw error
  }
}

function refuseAll(
  cause: unknown = new Error('the plugin fastify-resource-server is not registered yet'),
): Guard {
  return (_request, _reply, done) => done(new GuardFailedError(cause))
}

/** @returns the hook that checks the requests to the routes of the Fastify scope */
async function setUp(fastify: FastifyInstance, settings: Settings): Promise<Guard> {
  const verifier = await createCachedVerifier(settings, fastify.log)
  guardScope(fastify)
  refuseForeignDecorators(fastify)
  const readRequirement = requirementReader(settings)
  const routes = checkRoutes(fastify, readRequirement)
  const tally = createTally()
  const reported = createReportedRefusals(settings.clock)
  const challenges = challengesFor(settings)
  const refuse = createRefuse(challenges, tally)
  const withdrawal = challengeWithdrawal(fastify)
  const binding = enforceBinding(settings, fastify.log)
  fastify.addHook('onReady', () => binding.verifyStore())
  const allow = createAllow(tally, createRuleReport(reported, settings))
  const steps = { verifier, times: settings, reported }
  const guardBy = (requirementOf: GuardSteps['requirementOf'], refuseBy: Refuse): Guard =>
    createGuard({
      ...steps,
      checkBinding: binding.check,
      allow: withAuth(allow),
      refuse: refuseBy,
      requirementOf,
    })

  fastify.decorateRequest('auth', null as never)
  fastify.decorate(
    'oauth',
    createOAuthDecorator({
      verifier,
      settings,
      log: fastify.log,
      tally,
      reported,
      list: () => listRoutes(routes(), route => readRequirement(declarationOf(route)), settings.mode),
      // This hook must not send a response itself, because @fastify/auth may try other authentication methods afterwards.
      guard: requirement => guardBy(() => requirement, createRefuse(challenges, tally, withdrawal())),
    }),
  )
  publishMetadata(fastify, settings)
  documentRoutes(fastify, settings, () =>
    routes().map(route => [route, readRequirement(declarationOf(route))] as const),
  )
  await settings.api?.requireRoutes(fastify)
  runVerifier(fastify, verifier, settings.prefetch)
  const remembered = rememberRequirements(readRequirement)
  // A request to an unknown URL receives a 404 response even without a token. To protect the 404 handler, use `authenticate`.
  const requirementOf: GuardSteps['requirementOf'] = request =>
    request.is404 ? undefined : remembered(request.routeOptions)
  if (settings.mode === 'enforce')
    return guardBy(requirementOf, settings.problemDetails ? withProblemDetails(refuse) : refuse)
  warnOfReportMode(fastify)
  return createReportOnlyGuard({ ...steps, checkBinding: reportBinding(settings), allow, requirementOf })
}

/**
 * The Fastify plugin. It protects every route of the Fastify scope in which it is registered, except routes with
 * `config: { oauth: false }`.
 */
const resourceServer: FastifyPluginAsync<ResourceServerOptions> = fp(
  async (fastify: FastifyInstance, options: ResourceServerOptions) =>
    protectScope(fastify, () => parseOptions(options)),
  { fastify: '5.x', name: 'fastify-resource-server' },
)
export default resourceServer

function refuseForeignDecorators(fastify: FastifyInstance): void {
  if (fastify.hasRequestDecorator('auth'))
    throw new InvalidOptionError('another plugin has already added request.auth')
  if (fastify.hasDecorator('oauth'))
    throw new InvalidOptionError('another plugin has already added fastify.oauth')
}

function challengesFor({ realm, resourceMetadata, dpop }: Settings): Challenges {
  return createChallenges({
    realm,
    metadataUrl: resourceMetadata === undefined ? undefined : metadataUrl(resourceMetadata.resource),
    dpopAlgorithms: dpop?.algorithms,
  })
}

function warnOfReportMode(fastify: FastifyInstance): void {
  fastify.addHook('onReady', async () =>
    writeLog(() =>
      fastify.log.warn(
        "mode: 'report' is set: no route is protected, and requests that would be refused are only reported",
      ),
    ),
  )
}
