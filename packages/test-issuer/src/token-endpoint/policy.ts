import type { RegisteredClient } from '../clients/registration.js'
import { OAuthError } from './oauth-error.js'
import type { Parameters } from './parameters.js'

/** The scopes and the audience of a token. */
export interface Granted {
  readonly audience: readonly string[]
  readonly scopes: readonly string[]
}

/**
 * Determines the audience and the scopes of the token. If any requested scope or audience is not allowed, rejects the
 * whole request.
 * @throws {OAuthError} invalid_target (RFC 8707 §2) or invalid_scope (RFC 6749 §5.2)
 */
export function applyPolicy(parameters: Parameters, client: RegisteredClient): Granted {
  const requested = (parameters.get('scope') ?? '').split(' ').filter(scope => scope !== '')
  // In Entra ID and Azure AD B2C, the scope `<application id URI>/.default` requests all permissions for that API.
  const wholesale = requested
    .filter(scope => scope.endsWith('/.default'))
    .map(scope => scope.slice(0, -'/.default'.length))
  const targets = [...new Set([...parameters.all('resource'), ...parameters.all('audience'), ...wholesale])]
  return {
    audience: targets.length === 0 ? [onlyAudience(client)] : targets.map(target => known(target, client)),
    scopes: grantedScopes(
      requested.filter(scope => !scope.endsWith('/.default')),
      client,
    ),
  }
}

function onlyAudience({ audiences }: RegisteredClient): string {
  const [only, ...others] = audiences
  if (only !== undefined && others.length === 0) return only
  throw new OAuthError(
    'invalid_target',
    `the client is registered for several APIs; select one with resource or audience: ${audiences.join(', ')}`,
  )
}

function known(target: string, { audiences }: RegisteredClient): string {
  if (audiences.includes(target)) return target
  throw new OAuthError(
    'invalid_target',
    `the client is not registered for ${JSON.stringify(target)}, only for ${audiences.join(', ')}`,
  )
}

function grantedScopes(requested: readonly string[], { scopes }: RegisteredClient): readonly string[] {
  const unknown = requested.find(scope => !scopes.includes(scope))
  if (unknown !== undefined)
    throw new OAuthError(
      'invalid_scope',
      `the client is not registered for the scope ${JSON.stringify(unknown)}; its scopes are: ${scopes.join(' ') || 'none'}`,
    )
  return requested.length === 0 ? scopes : [...new Set(requested)]
}
