import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { ProtectedBy } from '../config.js'
import { policyOf } from '../permissions.js'

/** What a service says of itself. */
export interface ApiDocsOptions {
  readonly title: string
  readonly description: string
  /** Whose tokens the service takes. */
  readonly protectedBy: ProtectedBy
  readonly api: { readonly audience: string; readonly scopes: Readonly<Record<string, string>> }
}

/** What the operations' `security` is called. */
export const securityScheme = 'oauth2'

/** The page needs its own scripts and styles; the rest of an API shows nothing and may load nothing. */
const contentSecurityPolicy = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  // Swagger UI writes a few styles of its own into the page.
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** The OpenAPI description from the routes' schemas, and at `/docs` a page to read it and to try it. */
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
      // Authorize asks the issuer for a token.
      'connect-src': ["'self'", new URL(options.protectedBy.issuer).origin],
    },
    initOAuth: { clientId: 'visitor', scopes: [...(policyOf('visitor')[options.api.audience] ?? [])] },
  })
  // A person who opens the address of an API finds what it can do.
  app.get('/', { schema: { hide: true }, config: { oauth: false } }, async (_request, reply) =>
    reply.redirect('/docs'),
  )
})

/** The demo's own issuer has its token endpoint where it is known to be; another one's metadata tells. */
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
