import type { JsonWebKey } from 'node:crypto'
import type { ResourceServerOptions } from 'fastify-resource-server'
import type { TokenClientOptions } from 'fastify-token-client'
import type { DatabaseConfig } from './database/database.js'
import type { RenderLimits } from './receipt-service/render-pdf.js'

/** What the services are told when they start. */
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
  /** The addresses and networks whose `X-Forwarded-*` headers are believed. Absent: nobody's. */
  readonly trustProxy?: string
}

export interface AuthorizationServerConfig extends Listening {
  readonly issuer: string
  readonly clients: readonly RegisteredClient[]
  /** The client that visitors use by hand, also among `clients`. */
  readonly visitor: { readonly clientId: string; readonly secret: string }
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
  /**
   * Pages that may use it from a browser. Swagger UI sends no `resource`, so for this client the scopes decide which
   * resource is meant.
   */
  readonly origins?: readonly string[]
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
  | 'profile'
  | 'tokenEndpoint'
  | 'clientAuthentication'
  | 'keyId'
  | 'keyAlgorithm'
  | 'assertionAudience'
  | 'allowInsecureHttp'
  | 'clock'
> {
  readonly issuer: string
  readonly clientSecret?: string
  readonly privateKey?: JsonWebKey | string
  readonly certificate?: string
  /** What the called API is called in token requests. */
  readonly audience: string
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
