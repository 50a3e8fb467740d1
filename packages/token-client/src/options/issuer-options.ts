import type { ClientCredentials } from 'oauth-issuer-connection'
import type { Dispatcher } from 'undici'
import { InvalidOptionError } from '../errors.js'
import { locationOf, type ServerLocation } from './connection-options.js'
import { credentialsOf } from './credential-options.js'
import type { Checked } from './options.js'
import type { OnBehalfOfGrant, Profile } from './profiles.js'
import { parametersOf, type TargetOptions } from './target-options.js'

/** An authorization server, and how the client requests tokens from it. */
export interface IssuerSettings {
  readonly location: ServerLocation
  readonly allowInsecureHttp: boolean
  readonly clientId: string
  readonly credentials: ClientCredentials
  /**
   * Returns the parameters of a token request.
   * @throws {InvalidOptionError} if the scopes, resources or parameters are invalid
   */
  readonly parametersOf: (target: TargetOptions) => readonly (readonly [string, string])[]
  readonly onBehalfOfGrant: OnBehalfOfGrant
  readonly issuerDispatcher: Dispatcher | undefined
}

/**
 * Returns the settings for an authorization server.
 * @param target the scopes and resources of the client's own tokens
 */
export function issuerOf(given: Checked, target: TargetOptions, profile: Profile): IssuerSettings {
  const { clientId, onBehalfOfGrant = profile.onBehalfOf, issuerDispatcher } = given
  if (clientId === undefined)
    throw new InvalidOptionError(
      'option `clientId` is missing; expected the client id registered with the authorization server',
    )
  const wanted = (what: TargetOptions): readonly (readonly [string, string])[] => parametersOf(what, profile)
  wanted(target) // The result is ignored. This call only ensures that invalid scopes and resources are reported at startup, not with the first token request.
  const credentials = credentialsOf(given, profile)
  return {
    location: locationOf(given),
    allowInsecureHttp: given.allowInsecureHttp === true,
    clientId,
    credentials,
    parametersOf: wanted,
    onBehalfOfGrant,
    issuerDispatcher,
  }
}
