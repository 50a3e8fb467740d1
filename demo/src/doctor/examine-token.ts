import fastify from 'fastify'
import resourceServer, { type ResourceServerEvents } from 'fastify-resource-server'
import { createTokenClient, type TokenClientOptions } from 'fastify-token-client'
import type { ProtectedBy } from '../config.js'
import { decodeForShow } from '../live/mask.js'
import { watchChannels } from '../live/watch-channels.js'
import { usedPayments } from '../payments-api.js'
import { usedReceipts } from '../receipts-api.js'
import type { Finding } from './doctor.js'

type Denied = ResourceServerEvents['fastify-resource-server:deny']

/** Gets a token as the calling service does. */
export async function requestToken(
  options: TokenClientOptions,
): Promise<{ token?: string; finding: Finding }> {
  const client = createTokenClient(options)
  try {
    const { accessToken, scopes } = await client.getToken()
    const found = `${options.clientId} gets a token${scopes === undefined ? '' : ` with ${scopes.join(' ')}`}`
    return { token: accessToken, finding: { isWell: true, found } }
  } catch (error) {
    const { message, error: code = '', detail } = error as Error & { error?: string; detail?: string }
    return {
      finding: {
        isWell: false,
        // The message is for external callers; the operator needs the server's own words.
        found: `${options.clientId}: ${detail === undefined ? message : `${message}: ${detail}`}`,
        remedy:
          remedies[code] ?? 'Look at ISSUER, TOKEN_ENDPOINT and the network; the issuer’s log may say more.',
      },
    }
  } finally {
    await client.close()
  }
}

/** Hands the issuer's keys and the token to the same plugin, with the same options, as the called service does. */
export async function verifyToken(
  protectedBy: ProtectedBy,
  scopes: readonly string[],
  token: string,
): Promise<Finding> {
  const api = fastify()
  const { issuer, audience, verification } = protectedBy
  await api.register(resourceServer, { issuer, audience, ...verification })
  for (const [index, scope] of scopes.entries())
    api.get(`/${index}`, { config: { oauth: { scopes: [scope], roles: [scope] } } }, async () => 'allowed')

  const denied: Denied[] = []
  const stopWatching = watchChannels<ResourceServerEvents>({
    'fastify-resource-server:deny': event => void denied.push(event),
  })
  try {
    for (const index of scopes.keys())
      await api.inject({ url: `/${index}`, headers: { authorization: `Bearer ${token}` } })
  } finally {
    stopWatching()
    await api.close()
  }
  const [first] = denied
  if (first === undefined)
    return { isWell: true, found: `valid for ${audience}, and allows ${scopes.join(' and ')}` }
  return {
    isWell: false,
    found: `refused with ${first.statusCode}: ${first.detail ?? first.reason}. The token says ${describe(token)}`,
    remedy: remedies[first.reason] ?? 'Look at PROFILE: it says how the issuer writes its tokens.',
  }
}

function describe(token: string): string {
  const decoded = decodeForShow(`Bearer ${token}`)
  if (decoded === undefined) return 'nothing readable: it is not a JWT'
  const { header, claims } = decoded
  const shown = ['iss', 'aud', 'scope', 'scp', 'roles', 'permissions'].filter(name => name in claims)
  return [
    `typ ${JSON.stringify(header['typ'])}`,
    ...shown.map(name => `${name} ${JSON.stringify(claims[name])}`),
  ].join(', ')
}

const everyScope = [...usedPayments.scopes, ...usedReceipts.scopes].join(', ')

/** By RFC 6749's `error`, or by the plugin's reason for a refusal. */
const remedies: Readonly<Record<string, string>> = {
  invalid_client:
    'Look at CLIENT_ID and CLIENT_SECRET (or key and certificate), and whether the issuer requires CLIENT_AUTHENTICATION=client_secret_post.',
  unauthorized_client:
    'Allow the client the Client Credentials Grant (in Keycloak: service accounts). Keycloak gives the same answer for a wrong CLIENT_SECRET.',
  invalid_scope:
    'Assign the scopes to the client at the issuer. With Entra ID and B2C, PROFILE=entra asks for <RESOURCE>/.default.',
  invalid_target: 'The issuer does not know RESOURCE, or the client may not call it.',
  invalid_request: 'Look at PROFILE: it decides how token requests name the API.',
  access_denied:
    'Authorize the client for the API at the issuer. Auth0 gives the same answer for a wrong CLIENT_SECRET and for an unknown AUDIENCE.',
  issuer: 'Set ISSUER to the token’s iss, character by character.',
  audience:
    'Set AUDIENCE to the token’s aud; if that is not your API, look at RESOURCE, PROFILE and the issuer’s audience settings.',
  scope: `Grant the client the scopes or application roles ${everyScope}, with admin consent where the issuer has it.`,
  type: 'Look at PROFILE: it says which typ the issuer’s access tokens have. ID tokens are never accepted.',
  malformed: 'The token is opaque: name the API in the token request (AUDIENCE, RESOURCE, PROFILE).',
  unknown_key:
    'The token is signed by a key that the issuer does not list: is it a token for another API, Microsoft Graph say?',
  expired: 'Compare the clocks of this machine and of the issuer.',
  not_yet_valid: 'Compare the clocks of this machine and of the issuer.',
  unavailable: 'Look at ISSUER and METADATA_URL: the metadata there has to name the issuer exactly.',
}
