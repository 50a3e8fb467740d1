import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { DemoConfig, Listening, Ports, ReceiptConfig, ServiceName } from './config.js'
import { EnvironmentError, given, type Environment } from './environment.js'
import { paymentsApi } from './payments-api.js'
import { policyOf } from './permissions.js'
import { isIssuerReal, readRealIssuer } from './real-issuer.js'
import { receiptsApi } from './receipts-api.js'
import { readTrustProxy } from './trust-proxy.js'

// Addresses and permissions of all services are configured only here.

/** Visitors rotate keys more often than every 30 seconds, the default cooldown. */
const verification = { unknownKeyCooldownMs: 100 }

/**
 * Loads the configuration. Secrets and keys are generated for this start and kept in memory; the repository contains
 * none.
 * @throws {EnvironmentError} naming the invalid variable
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
 * Returns a loader for each service. A service that runs alone only loads its own part, so it does not need the secrets
 * of the others.
 * @throws {EnvironmentError} naming the invalid variable
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

/** The error does not show the value, which may contain a password. */
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
