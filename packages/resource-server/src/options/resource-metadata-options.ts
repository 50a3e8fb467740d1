import type { ResourceMetadataSettings } from '../describe/resource-metadata.js'
import { isTrustworthyUrl } from '../verify/issuer.js'
import { isObject, refuseUnknown, url, wrong, type Given } from './read-option.js'

/** What the API tells of itself to clients that do not know its issuer (RFC 9728). */
export interface ResourceMetadataOptions {
  /** The resource identifier: the URL of the API, without query and fragment (RFC 9728 §1.2). Default: the audience. */
  resource?: string
  /** What the API is called, for people. */
  name?: string
  /** Where developers read about it. */
  documentation?: string
}

const known = ['resource', 'name', 'documentation']

/** @throws {InvalidOptionError} */
export function parseResourceMetadata(
  { resourceMetadata: given = false }: Given,
  audiences: readonly string[],
  allowInsecureHttp: boolean,
): ResourceMetadataSettings | undefined {
  if (given === false) return undefined
  if (given !== true && !isObject(given))
    throw wrong(
      'resourceMetadata',
      given,
      "true, or an object such as { resource: 'https://api.example.com' }",
    )
  const options = given === true ? {} : given
  refuseUnknown(options, known, 'resourceMetadata.')
  const { name } = options
  if (name !== undefined && (typeof name !== 'string' || name === ''))
    throw wrong('resourceMetadata.name', name, 'text')
  return Object.freeze({
    resource: parseResource(options, audiences, allowInsecureHttp),
    name,
    documentation: url(options, 'documentation', 'resourceMetadata.', allowInsecureHttp),
  })
}

function parseResource(
  { resource }: Given,
  audiences: readonly string[],
  allowInsecureHttp: boolean,
): string {
  const [audience] = audiences
  const value = resource ?? (audiences.length === 1 ? audience : undefined)
  if (typeof value === 'string' && isResourceIdentifier(value, allowInsecureHttp)) return value
  throw wrong(
    'resourceMetadata.resource',
    value,
    'the https URL under which clients know this API, without query and fragment (RFC 9728 §1.2); it can be left out only where the one audience is that URL',
  )
}

function isResourceIdentifier(value: string, allowInsecureHttp: boolean): boolean {
  if (!URL.canParse(value) || !canDecode(value)) return false
  const { search, hash, username } = new URL(value)
  return search === '' && hash === '' && username === '' && isTrustworthyUrl(value, allowInsecureHttp)
}

/** Fastify's router compares what is decoded, and a percent sign may stand for nothing. */
function canDecode(value: string): boolean {
  try {
    decodeURI(value)
    return true
  } catch {
    return false
  }
}
