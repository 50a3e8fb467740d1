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
import type { Requirement, RouteRequirement } from './authorize/requirement.js'
import type { AuthOf } from './auth-of.js'
import { createBindingCheck, type CheckBinding } from './binding/check-binding.js'
import { createPossessionCheck } from './binding/check-possession.js'
import { createUsedProofs, type UsedProofs } from './binding/used-proofs.js'
import { documentRoute } from './describe/openapi.js'
import { metadataUrl, serveMetadata } from './describe/resource-metadata.js'
import { writeLog } from './diagnostics.js'
import { GuardFailedError, InvalidOptionError } from './errors.js'
import { createGuard, type Guard, type GuardSteps } from './guard.js'
import { parseOptions, type ResourceServerOptions, type Settings } from './options/options.js'
import { createReportedRefusals } from './report-only/reported-refusals.js'
import { createRuleReport } from './report-only/reported-rule.js'
import { createReportOnlyGuard } from './report-only-guard.js'
import { createAllow, type Allow } from './respond/allow.js'
import { createChallenges, type Challenges } from './respond/challenge.js'
import { createRefuse, withProblemDetails, type Refuse } from './respond/refuse.js'
import { challengeWithdrawal } from './respond/withdraw-challenge.js'
import { createOAuthDecorator, type ResourceServer } from './oauth-decorator.js'
import { listRoutes } from './route-list.js'
import { createTally } from './stats.js'
import { createCachedVerifier, type CachedVerifier } from './verifier.js'
import { checkRoutes, declarationOf, rememberRequirements, requirementReader } from './route-rules.js'
import { guardScope } from './scopes.js'
import type { SeenRoute } from './seen-routes.js'

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

/**
 * Guards the routes of a scope and its descendants. The hook is added before anything can fail, and refuses every request
 * until the rest is done: an application that goes on although this registration failed must not serve open routes.
 * @param readSettings reads the options; called after the hook was added
 */
export async function protectScope(fastify: FastifyInstance, readSettings: () => Settings): Promise<void> {
  let guard: Guard = refuseAll()
  fastify.addHook('onRequest', (request, reply, done) => guard(request, reply, done))
  // Fastify adds hooks with a delay, and not at all if the plugin has failed by then.
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

/** @returns the guard of the scope's routes */
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
  const checkBinding = bindingCheckFor(fastify, settings)
  const count = createAllow(tally, createRuleReport(reported, settings))
  const allow: Allow = (token, allowed) => {
    allowed.request.auth = token
    count(token, allowed)
  }
  const steps = { verifier, times: settings, reported }
  const guardBy = (requirementOf: GuardSteps['requirementOf'], refuseBy: Refuse): Guard =>
    createGuard({ ...steps, checkBinding, allow, refuse: refuseBy, requirementOf })

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
      // It may be one of several ways to authenticate (@fastify/auth), so it never sends an answer by itself.
      guard: requirement => guardBy(() => requirement, createRefuse(challenges, tally, withdrawal())),
    }),
  )
  publishMetadata(fastify, settings)
  documentRoutes(fastify, settings, () =>
    routes().map(route => [route, readRequirement(declarationOf(route))] as const),
  )
  await settings.api?.requireRoutes(fastify)
  loadKeys(fastify, verifier, settings)
  startRevocations(fastify, verifier)
  fastify.addHook('onClose', () => verifier.close())
  const remembered = rememberRequirements(readRequirement)
  // What does not exist stays 404; who guards the handler for it uses `authenticate`.
  const requirementOf: GuardSteps['requirementOf'] = request =>
    request.is404 ? undefined : remembered(request.routeOptions)
  if (settings.mode === 'enforce')
    return guardBy(requirementOf, settings.problemDetails ? withProblemDetails(refuse) : refuse)
  warnOfReportMode(fastify)
  return createReportOnlyGuard({
    ...steps,
    checkBinding: statelessBindingCheck(settings),
    allow: count,
    requirementOf,
  })
}

/** Protects every route of the scope in which it is registered, except those with `config: { oauth: false }`. */
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

function bindingCheckFor(
  fastify: FastifyInstance,
  { dpop, clientCertificate, clock }: Settings,
): CheckBinding {
  if (dpop === undefined) return createBindingCheck(undefined, clientCertificate)
  const usedProofs = createUsedProofs(dpop, fastify.log)
  fastify.addHook('onReady', () => refuseWrongStore(usedProofs))
  return createBindingCheck(createPossessionCheck(dpop, usedProofs, clock), clientCertificate)
}

/** Without nonces and without the store: what is only reported sets no header, and takes no proof from another server. */
function statelessBindingCheck({ dpop, clientCertificate, clock }: Settings): CheckBinding {
  if (dpop === undefined) return createBindingCheck(undefined, clientCertificate)
  const checkPossession = createPossessionCheck(
    { ...dpop, nonceSecret: undefined },
    { refuseReplay: () => undefined },
    clock,
  )
  return createBindingCheck(checkPossession, clientCertificate)
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

/** A store that does not answer is an outage: the application starts, and verifies it when it is first needed. */
async function refuseWrongStore(usedProofs: UsedProofs): Promise<void> {
  const fault = await usedProofs.verifyStore()
  if (fault?.isWrong === true)
    throw new InvalidOptionError(`option \`dpop.replayStore\` cannot be used: ${fault.reason}`)
}

function publishMetadata(
  fastify: FastifyInstance,
  { resourceMetadata, issuers, resolveIssuer, dpop, clientCertificate }: Settings,
): void {
  if (resourceMetadata === undefined) return
  serveMetadata(fastify, resourceMetadata, {
    issuers: resolveIssuer === undefined ? issuers.map(({ rules }) => rules.issuer) : undefined,
    dpopAlgorithms: dpop?.mode === 'off' ? undefined : dpop?.algorithms,
    dpopRequired: dpop?.mode === 'require',
    certificates: clientCertificate !== undefined,
    routes: () => fastify.oauth.routes(),
  })
}

function documentRoutes(
  fastify: FastifyInstance,
  { securityScheme, problemDetails }: Settings,
  rules: () => readonly (readonly [SeenRoute, Requirement | undefined])[],
): void {
  if (securityScheme === undefined) return
  const refusals = problemDetails ? 'problem' : 'error'
  fastify.addHook('onReady', async () => {
    for (const [{ options, hasOwnSerializer }, requirement] of rules())
      documentRoute(options, requirement, {
        securityScheme,
        refusals: hasOwnSerializer ? undefined : refusals,
      })
  })
}

/** Only `required` makes the start wait for the keys, and fail without them. */
function loadKeys(fastify: FastifyInstance, verifier: CachedVerifier, { prefetch }: Settings): void {
  if (prefetch === 'lazy') return
  if (prefetch === 'required') {
    fastify.addHook('onReady', () => verifier.loadKeys())
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

/** A store that does not answer is an outage: the application starts. */
function startRevocations(fastify: FastifyInstance, { revocations }: CachedVerifier): void {
  if (revocations !== undefined) fastify.addHook('onReady', () => revocations.start())
}
