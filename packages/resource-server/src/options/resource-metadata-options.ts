import {
  isTrustworthyUrl,
  object,
  optional,
  parser,
  shorthand,
  text,
  url,
  type Declares,
  type Parser,
} from 'declared-options'
import type { ResourceMetadataSettings } from '../describe/resource-metadata.js'
import { InvalidOptionError } from '../errors.js'

/** The protected resource metadata, which clients use to find this API's issuer (RFC 9728). */
export interface ResourceMetadataOptions {
  /**
   * The resource identifier (RFC 9728 §1.2), which is the URL of the API without a query or fragment. Default: the
   * audience.
   */
  resource?: string
  /** The human-readable name of the API. */
  name?: string
  /** The URL of the documentation for developers. */
  documentation?: string
}

const expectedResource = 'the URL that clients use for this API, without a query or fragment (RFC 9728 §1.2)'

const longestResource = 512

const declaration = {
  resource: optional(
    parser({
      ...url({ plain: true, example: 'https://api.example.com' }),
      read(value, place) {
        const resource = url({ plain: true, example: 'https://api.example.com' }).read(value, place)
        return canDecode(resource) ? resource : undefined
      },
    }),
  ),
  name: optional(text('the human-readable name of the API')),
  documentation: optional(url({ example: 'https://api.example.com/docs' })),
} satisfies Declares<ResourceMetadataOptions>

type ResourceMetadata = Omit<ResourceMetadataSettings, 'resource'> & { readonly resource: string | undefined }

const options = shorthand(
  object(declaration, "true, false or an object such as { resource: 'https://api.example.com' }"),
  value => (value === true ? {} : value),
)

/** Parses the `resourceMetadata` option. `true` is short for `{}`, and `false` publishes no metadata. */
export const resourceMetadataOption: Parser<ResourceMetadata | false> = {
  ...options,
  read: (value, place) => (value === false ? false : options.read(value, place)),
  absent: () => false,
}

/**
 * Adds the resource identifier to the metadata. If no identifier is configured, the audience is used, provided that
 * exactly one audience is configured and that it is a URL.
 */
export function resourceMetadataSettings(
  given: ResourceMetadata | false,
  audiences: readonly string[],
  allowInsecureHttp: boolean,
): ResourceMetadataSettings | undefined {
  if (given === false) return undefined
  if (given.resource !== undefined) return Object.freeze({ ...given, resource: refuseLong(given.resource) })
  const [audience = ''] = audiences
  const isUrl =
    isTrustworthyUrl(audience, allowInsecureHttp) && !/[?#@\s]/.test(audience) && canDecode(audience)
  if (audiences.length === 1 && isUrl) return Object.freeze({ ...given, resource: refuseLong(audience) })
  const why =
    audiences.length === 0
      ? 'no audience is known at startup if the option issuers is a function'
      : 'the option `audience` is not a single URL'
  throw new InvalidOptionError(
    `option \`resourceMetadata.resource\` is missing; expected ${expectedResource}, because ${why}`,
  )
}

/**
 * Rejects a resource identifier that is too long. Each challenge contains the identifier up to twice, and servers and
 * proxies often limit headers to 8 KiB.
 */
function refuseLong(resource: string): string {
  if (resource.length <= longestResource) return resource
  throw new InvalidOptionError(
    `option \`resourceMetadata.resource\` (or the audience, which is its default) is ${resource.length} characters long; expected at most ${longestResource}`,
  )
}

/** Returns whether a URL can be percent-decoded. This matters because Fastify's router compares decoded paths. */
function canDecode(value: string): boolean {
  try {
    decodeURI(value)
    return true
  } catch {
    return false
  }
}
