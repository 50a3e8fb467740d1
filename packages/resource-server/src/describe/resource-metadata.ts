import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from '../errors.js'
import type { ListedRoute } from '../route-list.js'
import { rootOf } from '../scopes.js'

/** The resource metadata (RFC 9728) from the option `resourceMetadata`. */
export interface ResourceMetadataSettings {
  /** The resource identifier (RFC 9728 §1.2). */
  readonly resource: string
  readonly name: string | undefined
  readonly documentation: string | undefined
}

/** The resource metadata (RFC 9728) that is derived from the plugin's other options. */
export interface Described {
  /** The issuer identifiers, or undefined if the issuers cannot be enumerated (RFC 9728 §2). */
  readonly issuers: readonly string[] | undefined
  /** The accepted algorithms for DPoP proofs, or undefined if DPoP is not supported. */
  readonly dpopAlgorithms: readonly string[] | undefined
  readonly dpopRequired: boolean
  readonly certificates: boolean
  readonly routes: () => readonly ListedRoute[]
}

/**
 * Returns the URL of a resource's metadata. The well-known path is inserted between the host and the path of the
 * resource (RFC 9728 §3.1).
 */
export function metadataUrl(resource: string): string {
  const { origin, pathname } = new URL(resource)
  return `${origin}/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}`
}

/** The metadata documents that each Fastify server publishes, keyed by path. */
const published = new WeakMap<FastifyInstance, Map<string, PublishedDocument>>()

interface PublishedDocument {
  readonly said: string
  readonly routes: (() => readonly ListedRoute[])[]
}

/**
 * Serves the resource metadata (RFC 9728 §3.2) at its well-known path, regardless of the `prefix` with which the plugin
 * is registered. If the plugin is registered several times for the same resource, one document lists the scopes of all
 * routes.
 * @throws {InvalidOptionError} if two registrations describe the same resource differently
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
      `another scope publishes different metadata for the resource ${settings.resource}; use the same issuers, resourceMetadata, dpop and clientCertificate in both scopes, or set a different resourceMetadata.resource in each`,
    )
  before.routes.push(described.routes)
}

function serve(root: FastifyInstance, url: string, describeNow: () => object): void {
  let document: object | undefined
  // Web pages from other origins may request the metadata, even with custom headers (Fetch Standard, "CORS protocol").
  const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' }
  const config = { oauth: false } as const
  // The type is `object`, because `hide` is declared in the types of @fastify/swagger, which are not available here.
  const schema: object = { hide: true }
  // The path is decoded and its colons are escaped, because Fastify's router matches decoded paths and treats a single colon as the start of a parameter.
  const path = decodeURI(url).replaceAll(':', '::')
  root.get(path, { config, schema }, async (_, reply) => {
    // The document is created at the first request and then cached, because no routes can be registered after that.
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
