import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from '../errors.js'
import type { ListedRoute } from '../route-list.js'
import { rootOf } from '../scopes.js'

/** What is published, besides what the plugin knows already. */
export interface ResourceMetadataSettings {
  /** The resource identifier (RFC 9728 §1.2). */
  readonly resource: string
  readonly name: string | undefined
  readonly documentation: string | undefined
}

/** What the document tells of how tokens are checked. */
export interface Described {
  /** Undefined: they cannot be enumerated, so the document names none (RFC 9728 §2). */
  readonly issuers: readonly string[] | undefined
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

/** Documents that are served already: by the server, then by their URL. */
const published = new WeakMap<FastifyInstance, Map<string, PublishedDocument>>()

interface PublishedDocument {
  readonly said: string
  readonly routes: (() => readonly ListedRoute[])[]
}

/**
 * Serves the document (RFC 9728 §3.2) at its place on this server, whatever prefix the plugin was registered under.
 * Scopes of one API, such as its versions, share one document with the scopes of all their routes.
 * @throws {InvalidOptionError} when they say different things of it
 */
export function serveMetadata(
  fastify: FastifyInstance,
  settings: ResourceMetadataSettings,
  described: Described,
): void {
  const root = rootOf(fastify)
  const documents = published.get(root) ?? new Map<string, PublishedDocument>()
  published.set(root, documents)
  const url = new URL(metadataUrl(settings.resource)).pathname
  const fixed = describe(settings, described)
  const said = JSON.stringify(fixed)
  const before = documents.get(url)
  if (before === undefined) {
    const routes = [described.routes]
    documents.set(url, { said, routes })
    serve(root, url, () => ({ ...fixed, scopes_supported: scopesOf(routes) }))
    return
  }
  if (before.said !== said)
    throw new InvalidOptionError(
      `another scope describes the resource ${settings.resource} in another way; register both with the same issuers, resourceMetadata, dpop and clientCertificate, or give each its own resourceMetadata.resource`,
    )
  before.routes.push(described.routes)
}

function serve(root: FastifyInstance, url: string, describeNow: () => object): void {
  let document: object | undefined
  // Clients in browsers ask from other origins, some with headers of their own (Fetch Standard, "CORS protocol").
  const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' }
  const config = { oauth: false } as const
  // For @fastify/swagger, whose types are not there.
  const schema: object = { hide: true }
  // Fastify's router compares what is decoded, and a colon would begin a parameter of it.
  const path = decodeURI(url).replaceAll(':', '::')
  root.get(path, { config, schema }, async (_, reply) => {
    // Fastify may still get routes when the first request of a test comes, never after it.
    document ??= describeNow()
    return reply.headers({ ...cors, 'cache-control': 'public, max-age=3600' }).send(document)
  })
  root.options(path, { config, schema }, async (_, reply) =>
    reply
      .headers({ ...cors, 'access-control-allow-methods': 'GET, HEAD' })
      .code(204)
      .send(),
  )
}

function scopesOf(routes: PublishedDocument['routes']): readonly string[] {
  const all = routes.flatMap(list => list().flatMap(({ requirement }) => requirement?.scopes ?? []))
  return [...new Set(all)].toSorted()
}

function describe(
  { resource, name, documentation }: ResourceMetadataSettings,
  { issuers, dpopAlgorithms, dpopRequired, certificates }: Described,
): object {
  return {
    resource,
    ...(issuers === undefined ? {} : { authorization_servers: issuers }),
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
