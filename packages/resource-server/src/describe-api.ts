import type { FastifyInstance } from 'fastify'
import type { Requirement } from './authorize/requirement.js'
import { documentRoute } from './describe/openapi.js'
import { serveMetadata } from './describe/resource-metadata.js'
import type { Settings } from './options/options.js'
import type { SeenRoute } from './seen-routes.js'

/** Serves the API's metadata (RFC 9728) if the option `resourceMetadata` is set. */
export function publishMetadata(
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

/** Adds each route's rule to its OpenAPI schema if the option `securityScheme` is set. */
export function documentRoutes(
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
