import type { FastifyInstance } from 'fastify'
import type { ListedRoute } from '../route-list.js'
import { outermost } from '../watch-routes.js'

/** What is published, besides what the plugin knows already. */
export interface ResourceMetadataSettings {
  /** The resource identifier (RFC 9728 §1.2). */
  readonly resource: string
  readonly name: string | undefined
  readonly documentation: string | undefined
}

/** What the document tells of how tokens are checked. */
export interface Described {
  readonly issuers: readonly string[]
  /** Algorithms of DPoP proofs; undefined: no proofs are taken. */
  readonly dpopAlgorithms: readonly string[] | undefined
  readonly dpopRequired: boolean
  readonly certificates: boolean
  readonly routes: () => readonly ListedRoute[]
}

/** Where the document of a resource is: the well-known part goes between host and path (RFC 9728 §3.1). */
export function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource)
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`
}

/** Serves the document (RFC 9728 §3.2) at its place on this server, whatever prefix the plugin was registered under. */
export function serveMetadata(
  fastify: FastifyInstance,
  settings: ResourceMetadataSettings,
  described: Described,
): void {
  let document: object | undefined
  const url = new URL(metadataUrl(settings.resource)).pathname
  // Clients in browsers ask from other origins, some with headers of their own (Fetch Standard, "CORS protocol").
  const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' }
  const config = { oauth: false } as const
  // For @fastify/swagger, whose types are not there.
  const schema: object = { hide: true }
  const root = outermost(fastify)
  root.get(url, { config, schema }, async (_, reply) => {
    // Fastify may still get routes when the first request of a test comes, never after it.
    document ??= describe(settings, described)
    return reply.headers({ ...cors, 'cache-control': 'public, max-age=3600' }).send(document)
  })
  root.options(url, { config, schema }, async (_, reply) =>
    reply
      .headers({ ...cors, 'access-control-allow-methods': 'GET, HEAD' })
      .code(204)
      .send(),
  )
}

function describe(
  { resource, name, documentation }: ResourceMetadataSettings,
  { issuers, dpopAlgorithms, dpopRequired, certificates, routes }: Described,
): object {
  const scopes = new Set(routes().flatMap(({ requirement }) => requirement?.scopes ?? []))
  return {
    resource,
    authorization_servers: issuers,
    scopes_supported: [...scopes].toSorted(),
    bearer_methods_supported: ['header'],
    ...(name === undefined ? {} : { resource_name: name }),
    ...(documentation === undefined ? {} : { resource_documentation: documentation }),
    ...(certificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
    ...(dpopAlgorithms === undefined
      ? {}
      : {
          dpop_signing_alg_values_supported: dpopAlgorithms,
          dpop_bound_access_tokens_required: dpopRequired,
        }),
  }
}
