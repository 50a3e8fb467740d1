import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { ProtectedBy } from '../config.js'
import { policyOf } from '../permissions.js'

/** Title and description of a service. */
export interface ApiDocsOptions {
  readonly title: string
  readonly description: string
  /** The issuer and audience of the tokens that the service accepts. */
  readonly protectedBy: ProtectedBy
  readonly api: { readonly audience: string; readonly scopes: Readonly<Record<string, string>> }
}

/** The name of the security scheme in the OpenAPI document. */
export const securityScheme = 'oauth2'

/** The documentation page needs its own scripts and styles; other responses of an API may load nothing. */
const contentSecurityPolicy = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  // Swagger UI adds inline styles to the page.
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** Generates the OpenAPI document from the routes' schemas, and serves it as a page with “Try it out” at `/docs`. */
export const apiDocs = fp(async (app: FastifyInstance, options: ApiDocsOptions) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: options.title, description: options.description, version: '1.0.0' },
      components: {
        securitySchemes: { [securityScheme]: schemeOf(options) },
      },
    },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: {
      ...contentSecurityPolicy,
      // “Authorize” requests a token from the issuer.
      'connect-src': ["'self'", new URL(options.protectedBy.issuer).origin],
    },
    initOAuth: { clientId: 'visitor', scopes: [...(policyOf('visitor')[options.api.audience] ?? [])] },
  })
  // Redirects a person who opens the address of an API to its documentation.
  app.get('/', { schema: { hide: true }, config: { oauth: false } }, async (_request, reply) =>
    reply.redirect('/docs'),
  )
})

/** The token endpoint of the demo's issuer is known; an external issuer names its endpoint in its metadata. */
function schemeOf({ protectedBy: { issuer, verification }, api: { scopes } }: ApiDocsOptions) {
  const base = issuer.replace(/\/$/, '')
  if (verification?.profile === undefined)
    return {
      type: 'oauth2' as const,
      flows: { clientCredentials: { tokenUrl: `${base}/token`, scopes: { ...scopes } } },
    }
  const openIdConnectUrl = verification.metadataUrl ?? `${base}/.well-known/openid-configuration`
  return { type: 'openIdConnect' as const, openIdConnectUrl }
}
