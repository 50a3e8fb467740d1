import { InvalidOptionError } from '../errors.js'
import type { TokenClientPluginOptions } from './options.js'
import type { Given } from './read-option.js'

/** One that is missing here does not compile. */
const known = new Set(
  Object.keys({
    name: true,
    prefetch: true,
    baseUrl: true,
    issuer: true,
    tokenEndpoint: true,
    profile: true,
    clientId: true,
    clientSecret: true,
    clientAuthentication: true,
    privateKey: true,
    signAssertion: true,
    keyId: true,
    keyAlgorithm: true,
    certificate: true,
    clientAssertion: true,
    clientAssertionFile: true,
    assertionAudience: true,
    ca: true,
    scopes: true,
    resource: true,
    audience: true,
    parameters: true,
    onBehalfOfGrant: true,
    dpop: true,
    renewAfter: true,
    issuerTimeoutMs: true,
    allowInsecureHttp: true,
    dispatcher: true,
    interceptors: true,
    issuerDispatcher: true,
    tokenStore: true,
    clock: true,
  } satisfies Record<keyof TokenClientPluginOptions, true>),
)

/** Fastify's own options of `register`. */
const knownOfRegister = new Set(['logLevel', 'logSerializers', 'prefix'])

/** A misspelt option would do nothing, and nobody would notice. @throws {InvalidOptionError} */
export function refuseUnknownOptions(given: Given): void {
  for (const option of Object.keys(given))
    if (!known.has(option) && !knownOfRegister.has(option))
      throw new InvalidOptionError(`there is no option \`${option}\`; it knows ${[...known].join(', ')}`)
}
