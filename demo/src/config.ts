import type { JsonWebKey } from 'node:crypto'
import type { ResourceServerOptions } from 'fastify-resource-server'
import type { TokenClientOptions } from 'fastify-token-client'
import type { DatabaseConfig } from './database/database.js'
import type { RenderLimits } from './receipt-service/render-pdf.js'

/** Configuration of all services. */
export interface DemoConfig {
  /** The demo's own issuer. It does not start if `ISSUER` names another one. */
  readonly authorizationServer: AuthorizationServerConfig
  /** Whether `ISSUER` names an external issuer. */
  readonly isIssuerReal: boolean
  readonly receipts: ReceiptConfig
  readonly payments: PaymentConfig
  readonly storefront: StorefrontConfig
}

/** Where a service listens. */
export interface Listening {
  /** 127.0.0.1 unless `HOST` is set. */
  readonly host: string
  readonly port: number
  /** `silent` or a Pino level. */
  readonly logLevel: string
  /** Addresses and networks of the proxies whose `X-Forwarded-*` headers are trusted. Absent: none is trusted. */
  readonly trustProxy?: string
}

export interface AuthorizationServerConfig extends Listening {
  readonly issuer: string
  readonly clients: readonly RegisteredClient[]
  /** The client for manual requests by visitors; it is also one of `clients`. */
  readonly visitor: { readonly clientId: string; readonly secret: string }
  /** Lifetime of access tokens, in seconds. */
  readonly tokenLifetime: number
}

/** A confidential client and its policy: the scopes it may request for each resource. */
export interface RegisteredClient {
  readonly clientId: string
  readonly authentication:
    | { readonly method: 'client_secret_basic'; readonly secret: string }
    | { readonly method: 'private_key_jwt'; readonly publicKey: JsonWebKey }
  readonly policy: Readonly<Record<string, readonly string[]>>
  /**
   * Origins of pages that may use this client in a browser. Swagger UI sends no `resource`, so the scopes select the
   * resource for this client.
   */
  readonly origins?: readonly string[]
}

/** How a service verifies the tokens of its callers. */
export interface ProtectedBy {
  readonly issuer: string
  readonly audience: string
  /** Options of the resource server that differ from their defaults. */
  readonly verification?: Pick<
    ResourceServerOptions,
    'profile' | 'metadataUrl' | 'unknownKeyCooldownMs' | 'allowInsecureHttp'
  >
}

/** How a service gets tokens for another service: options of the token client. */
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
  /** The name of the called API in token requests. */
  readonly audience: string
}

export interface ReceiptConfig extends Listening, ProtectedBy {
  readonly database: DatabaseConfig
  /** Limits of rendering that differ from their defaults. */
  readonly render?: Partial<RenderLimits>
}

export interface PaymentConfig extends Listening, ProtectedBy {
  readonly database: DatabaseConfig
  readonly receipts: CallsWith
  /** After this time, in milliseconds, a payment or receipt counts as abandoned by its process. */
  readonly leases?: { readonly paymentMs: number; readonly receiptMs: number }
  /** Share of gateway answers that are dropped, from 0 to 1, to test that no payment is lost. */
  readonly gatewayLoss?: number
}

export interface StorefrontConfig extends Listening {
  /** Signs the cart's cookie. */
  readonly cookieSecret: string
  readonly payments: CallsWith
}

export type ServiceName = Exclude<keyof DemoConfig, 'isIssuerReal'>
export type Ports = Readonly<Record<ServiceName, number>>

/** Default ports; a port that is taken is replaced by the next free one. */
export const usualPorts: Ports = {
  storefront: 3000,
  payments: 3001,
  receipts: 3002,
  authorizationServer: 4000,
}
