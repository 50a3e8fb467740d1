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
    /** The rule of the route; `false` makes the route public. By default, the route accepts any valid token. */
    oauth?: RouteRequirement | false
  }
  interface FastifyInstance {
    /** Functions of the resource server, such as `verify`, `explain`, `authenticate` and `stats`. */
    oauth: ResourceServer
  }
  // Repeats Fastify's type parameters up to ContextConfig, because merged interfaces must have the same parameters.
  interface FastifyRequest<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    ContextConfig = ContextConfigDefault,
  > {
    /**
     * The verified access token of this request. It is set before any other hook of a protected route runs. It is null
     * on public routes, and on routes with an optional token if the request has none.
     */
    auth: AuthOf<ContextConfig>
  }
}

/**
 * Guards the routes of a scope and its child scopes. The hook is added first and refuses every request until the
 * registration succeeds. An application that ignores a failed registration therefore serves no unprotected routes.
 * @param readSettings reads the options after the hook was added
 */
export async function protectScope(fastify: FastifyInstance, readSettings: () => Settings): Promise<void> {
  let guard: Guard = refuseAll()
  fastify.addHook('onRequest', (request, reply, done) => guard(request, reply, done))
  // Fastify adds hooks asynchronously, and does not add them if the plugin fails before that.
  await fastify.after()
  try {
    guard = await setUp(fastify, readSettings())
  } catch (thrown) {
    const error = asError(thrown)
    guard = refuseAll(error)
    throw error
  }
}

function refuseAll(cause: unknown = new Error('the resource server is not registered yet')): Guard {
  return (_request, _reply, done) => done(new GuardFailedError(cause))
}

/** @returns the guard for the routes of the scope */
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
      // This guard never sends a response itself, because @fastify/auth may try other authentication methods.
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
  // Unknown URLs get 404 without a token. To protect the 404 handler, use `authenticate`.
  const requirementOf: GuardSteps['requirementOf'] = request =>
    request.is404 ? undefined : remembered(request.routeOptions)
  if (settings.mode === 'enforce')
    return guardBy(requirementOf, settings.problemDetails ? withProblemDetails(refuse) : refuse)
  warnOfReportMode(fastify)
  return createReportOnlyGuard({ ...steps, checkBinding: reportBinding(settings), allow, requirementOf })
}

/**
 * Protects every route of the scope in which the plugin is registered, except routes with `config: { oauth: false }`.
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
        "mode: 'report': no route is protected; requests that would be refused are let in and reported",
      ),
    ),
  )
}
