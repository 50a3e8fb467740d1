import { generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto'
import type { ResourceServerOptions } from 'fastify-resource-server'
import type { TokenClientOptions } from 'fastify-token-client'
import type { DatabaseConfig } from './database/database.js'
import { EnvironmentError, isIssuerReal, readRealIssuer } from './real-issuer.js'
import type { RenderLimits } from './receipt-service/render-pdf.js'

/** Who lives where, and who may do what: the only place that knows. */
export interface DemoConfig {
  /** The demo's own issuer; it is not started when `ISSUER` names another one. */
  readonly authorizationServer: AuthorizationServerConfig
  /** The issuer is somebody else's. */
  readonly isIssuerReal: boolean
  readonly receipts: ReceiptConfig
  readonly payments: PaymentConfig
  readonly storefront: StorefrontConfig
}

/** Where a service listens. */
export interface Listening {
  /** This machine only, unless the environment says otherwise. */
  readonly host: string
  readonly port: number
  /** `silent` or a Pino level. */
  readonly logLevel: string
}

export interface AuthorizationServerConfig extends Listening {
  readonly issuer: string
  readonly clients: readonly RegisteredClient[]
  /** How long access tokens live, in seconds. */
  readonly tokenLifetime: number
}

/** A confidential client, and its policy: which scopes it may have at which resource. */
export interface RegisteredClient {
  readonly clientId: string
  readonly authentication:
    | { readonly method: 'client_secret_basic'; readonly secret: string }
    | { readonly method: 'private_key_jwt'; readonly publicKey: JsonWebKey }
  readonly policy: Readonly<Record<string, readonly string[]>>
}

/** How a service checks the tokens it is called with. */
export interface ProtectedBy {
  readonly issuer: string
  readonly audience: string
  /** What differs from the defaults of the resource server. */
  readonly verification?: Pick<
    ResourceServerOptions,
    'profile' | 'metadataUrl' | 'unknownKeyCooldownMs' | 'allowInsecureHttp'
  >
}

/** How a service gets the tokens it calls another with: options of the token client. */
export interface CallsWith extends Pick<
  TokenClientOptions,
  | 'baseUrl'
  | 'clientId'
  | 'preset'
  | 'tokenEndpoint'
  | 'clientAuthentication'
  | 'keyId'
  | 'audience'
  | 'parameters'
  | 'allowInsecureHttp'
  | 'clock'
> {
  readonly issuer: string
  readonly clientSecret?: string
  readonly privateKey?: JsonWebKey | string
  readonly certificate?: string
  readonly scopes: readonly string[]
  /** The resource indicator (RFC 8707). */
  readonly resource?: string
}

export interface ReceiptConfig extends Listening, ProtectedBy {
  readonly database: DatabaseConfig
  /** What differs from the usual limits of rendering. */
  readonly render?: Partial<RenderLimits>
}

export interface PaymentConfig extends Listening, ProtectedBy {
  readonly database: DatabaseConfig
  readonly receipts: CallsWith
  /** After how long a process is taken for dead that works on a payment or a receipt, in milliseconds. */
  readonly leases?: { readonly paymentMs: number; readonly receiptMs: number }
  /** How large a share of the gateway's answers gets lost, from 0 to 1; to see that no payment is lost with them. */
  readonly gatewayLoss?: number
}

export interface StorefrontConfig extends Listening {
  /** Signs the cart's cookie. */
  readonly cookieSecret: string
  readonly payments: CallsWith
}

export type ServiceName = Exclude<keyof DemoConfig, 'isIssuerReal'>
export type Ports = Readonly<Record<ServiceName, number>>

/** Where the services listen unless something else does already. */
export const usualPorts: Ports = {
  storefront: 3000,
  payments: 3001,
  receipts: 3002,
  authorizationServer: 4000,
}

/** Resource identifiers: names, not addresses, so that they stay when a service moves. */
const audiences = {
  payments: 'https://payments.bookstore.example',
  receipts: 'https://receipts.bookstore.example',
}

/** Visitors rotate the keys more often than every thirty seconds, as no issuer does. */
const verification = { unknownKeyCooldownMs: 100 }

/** Everything the environment may say. */
export type Environment = Readonly<Record<string, string | undefined>>

const paymentScopes = ['payments:write', 'payments:read']
const receiptScopes = ['receipts:write', 'receipts:read']

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
  })
  const real = readRealIssuer(env)
  const issuer = at('authorizationServer')
  const database = {
    url: env['DATABASE_URL'] || undefined,
    folder: `${env['DEMO_FOLDER'] ?? '.demo'}/database`,
  }
  const paymentSecret = randomBytes(32).toString('base64url')
  const storefrontKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  return {
    authorizationServer: () => ({
      ...listening('authorizationServer'),
      issuer,
      tokenLifetime: 300,
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
          policy: { [audiences.payments]: paymentScopes },
        },
        {
          clientId: 'payment-service',
          authentication: { method: 'client_secret_basic', secret: paymentSecret },
          policy: { [audiences.receipts]: receiptScopes },
        },
      ],
    }),
    receipts: () => ({
      ...listening('receipts'),
      ...(real?.protect('receipts') ?? { issuer, audience: audiences.receipts, verification }),
      database,
      ...readRenderLimits(env),
    }),
    payments() {
      const baseUrl = env['RECEIPTS_URL'] ?? at('receipts')
      return {
        ...listening('payments'),
        ...(real?.protect('payments') ?? { issuer, audience: audiences.payments, verification }),
        database,
        receipts: real?.call('receipts', baseUrl, receiptScopes) ?? {
          baseUrl,
          issuer,
          clientId: 'payment-service',
          clientSecret: paymentSecret,
          scopes: receiptScopes,
          resource: audiences.receipts,
        },
      }
    },
    storefront() {
      const baseUrl = env['PAYMENTS_URL'] ?? at('payments')
      return {
        ...listening('storefront'),
        cookieSecret: env['COOKIE_SECRET'] ?? randomBytes(32).toString('base64url'),
        payments: real?.call('payments', baseUrl, paymentScopes) ?? {
          baseUrl,
          issuer,
          clientId: 'storefront',
          privateKey: storefrontKey.privateKey.export({ format: 'jwk' }),
          keyId: 'storefront-1',
          scopes: paymentScopes,
          resource: audiences.payments,
        },
      }
    },
  }
}

const mostRendererThreads = 16

function readRenderLimits({ RENDERER_THREADS: wanted }: Environment): Pick<ReceiptConfig, 'render'> {
  if (wanted === undefined || wanted === '') return {}
  const threads = Number(wanted)
  if (!Number.isInteger(threads) || threads < 1 || threads > mostRendererThreads)
    throw new EnvironmentError(
      `RENDERER_THREADS is ${JSON.stringify(wanted)}; it wants a whole number from 1 to ${mostRendererThreads}`,
    )
  return { render: { threads } }
}
