import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { DemoConfig, Listening, Ports, ReceiptConfig, ServiceName } from './config.js'
import { EnvironmentError, given, type Environment } from './environment.js'
import { paymentsApi } from './payments-api.js'
import { policyOf } from './permissions.js'
import { isIssuerReal, readRealIssuer } from './real-issuer.js'
import { receiptsApi } from './receipts-api.js'
import { readTrustProxy } from './trust-proxy.js'

// Who lives where, and who may do what: the only place that knows.

/** Visitors rotate the keys more often than every thirty seconds, as no issuer does. */
const verification = { unknownKeyCooldownMs: 100 }

/**
 * Secrets and keys are made for this start and kept in memory; there is none in the repository.
 * @throws {EnvironmentError} naming the variable that is wrong
 */
export function loadConfig(ports: Ports, env: Environment = {}): DemoConfig {
  const load = configLoaders(ports, env)
  return {
    isIssuerReal: isIssuerReal(env),
    authorizationServer: load.authorizationServer(),
    receipts: load.receipts(),
    payments: load.payments(),
    storefront: load.storefront(),
  }
}

/**
 * What each service has to know. One that runs by itself reads its own part only, so it needs nobody else's secret.
 * @throws {EnvironmentError} naming the variable that is wrong
 */
export function configLoaders(
  ports: Ports,
  env: Environment,
): { readonly [N in ServiceName]: () => DemoConfig[N] } {
  const at = (service: ServiceName): string => `http://127.0.0.1:${ports[service]}`
  const listening = (service: ServiceName): Listening => ({
    host: env['HOST'] ?? '127.0.0.1',
    port: ports[service],
    logLevel: env['LOG_LEVEL'] ?? 'warn',
    ...readTrustProxy(env),
  })
  const real = readRealIssuer(env)
  const issuer = at('authorizationServer')
  const database = {
    url: readDatabaseUrl(env),
    folder: `${given(env, 'DEMO_FOLDER') ?? '.demo'}/database`,
  }
  const paymentSecret = randomBytes(32).toString('base64url')
  const visitor = { clientId: 'visitor', secret: randomBytes(18).toString('base64url') }
  const storefrontKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  return {
    authorizationServer: () => ({
      ...listening('authorizationServer'),
      issuer,
      tokenLifetime: 300,
      visitor,
      clients: [
        {
          clientId: 'storefront',
          authentication: {
            method: 'private_key_jwt',
            publicKey: {
              ...storefrontKey.publicKey.export({ format: 'jwk' }),
              kid: 'storefront-1',
              alg: 'ES256',
              use: 'sig',
            },
          },
          policy: policyOf('storefront'),
        },
        {
          clientId: 'payment-service',
          authentication: { method: 'client_secret_basic', secret: paymentSecret },
          policy: policyOf('payment-service'),
        },
        {
          clientId: visitor.clientId,
          authentication: { method: 'client_secret_basic', secret: visitor.secret },
          policy: policyOf(visitor.clientId),
          origins: ['payments', 'receipts'].flatMap(service => {
            const { port } = new URL(at(service as ServiceName))
            return [`http://127.0.0.1:${port}`, `http://localhost:${port}`]
          }),
        },
      ],
    }),
    receipts: () => ({
      ...listening('receipts'),
      ...(real?.protect('receipts') ?? { issuer, audience: receiptsApi.audience, verification }),
      database,
      ...readRenderLimits(env),
    }),
    payments() {
      const baseUrl = env['RECEIPTS_URL'] ?? at('receipts')
      return {
        ...listening('payments'),
        ...(real?.protect('payments') ?? { issuer, audience: paymentsApi.audience, verification }),
        database,
        receipts: real?.call('receipts', baseUrl) ?? {
          baseUrl,
          issuer,
          clientId: 'payment-service',
          clientSecret: paymentSecret,
          audience: receiptsApi.audience,
        },
      }
    },
    storefront() {
      const baseUrl = env['PAYMENTS_URL'] ?? at('payments')
      return {
        ...listening('storefront'),
        cookieSecret: given(env, 'COOKIE_SECRET') ?? randomBytes(32).toString('base64url'),
        payments: real?.call('payments', baseUrl) ?? {
          baseUrl,
          issuer,
          clientId: 'storefront',
          privateKey: storefrontKey.privateKey.export({ format: 'jwk' }),
          keyId: 'storefront-1',
          audience: paymentsApi.audience,
        },
      }
    },
  }
}

/** Without the value in the error: it may hold a password. */
function readDatabaseUrl(env: Environment): string | undefined {
  const url = given(env, 'DATABASE_URL')
  if (url === undefined) return undefined
  const isUrl = URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)
  if (!isUrl)
    throw new EnvironmentError(
      'DATABASE_URL is not the URL of a PostgreSQL server, such as postgres://user:password@127.0.0.1:5432/bookstore',
    )
  return url
}

const mostRendererThreads = 16

function readRenderLimits(env: Environment): Pick<ReceiptConfig, 'render'> {
  const wanted = given(env, 'RENDERER_THREADS')
  if (wanted === undefined) return {}
  const threads = Number(wanted)
  if (!Number.isInteger(threads) || threads < 1 || threads > mostRendererThreads)
    throw new EnvironmentError(
      `RENDERER_THREADS is ${JSON.stringify(wanted)}; expected a whole number from 1 to ${mostRendererThreads}`,
    )
  return { render: { threads } }
}
