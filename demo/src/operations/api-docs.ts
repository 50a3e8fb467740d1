import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** What a service says of itself. */
export interface ApiDocsOptions {
  readonly title: string
  readonly description: string
  readonly issuer: string
  /** Each scope with what it allows. */
  readonly scopes: Readonly<Record<string, string>>
}

/** The OpenAPI description from the routes' schemas, and at `/docs` a page to read it and to try it. */
export const apiDocs = fp(async (app: FastifyInstance, options: ApiDocsOptions) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: options.title, description: options.description, version: '1.0.0' },
      components: {
        securitySchemes: {
          oauth2: {
            type: 'oauth2',
            flows: {
              clientCredentials: {
                tokenUrl: `${options.issuer.replace(/\/$/, '')}/token`,
                scopes: { ...options.scopes },
              },
            },
          },
        },
      },
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs' })
})
