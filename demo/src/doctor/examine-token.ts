import { explain } from 'fastify-resource-server'
import { createTokenClient, type TokenClientOptions } from 'fastify-token-client'
import type { ProtectedBy } from '../config.js'
import type { Finding } from './doctor.js'
import { remedyFor, withVariables } from './remedies.js'

/** Requests a token with the options of the calling service. */
export async function requestToken(
  options: TokenClientOptions,
  protectedBy: ProtectedBy,
): Promise<{ token?: string; finding: Finding }> {
  const client = createTokenClient(options)
  try {
    const { accessToken, scopes } = await client.getToken()
    const found = `${options.clientId} gets a token${scopes === undefined ? '' : ` with ${scopes.join(' ')}`}`
    return { token: accessToken, finding: { isWell: true, found } }
  } catch (thrown) {
    // The message is fixed; `detail` has the server's response.
    const { message, error, detail } = thrown as Error & { error?: string; detail?: string }
    const found = `${options.clientId}: ${detail === undefined ? message : `${message}: ${detail}`}`
    const remedy =
      (error === undefined ? await remedyForOutage(protectedBy) : remedyFor(error, options)) ??
      'Check `issuer`, `tokenEndpoint` and the network. The log of the issuer may contain the reason.'
    return { finding: { isWell: false, found, remedy: withVariables(remedy) } }
  } finally {
    await client.close()
  }
}

/** Returns advice if the issuer cannot be used. Explains a made-up token, which makes the verifier fetch the issuer's keys. */
async function remedyForOutage({ issuer, audience, verification }: ProtectedBy): Promise<string | undefined> {
  const [header, payload] = [{ alg: 'ES256', kid: 'doctor' }, { iss: issuer }].map(part =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  const { checks } = await explain(`${header}.${payload}.AAAA`, { issuer, audience, ...verification })
  const outage = checks.find(({ reason }) => reason === 'unavailable')
  return outage && `Check \`issuer\`. ${outage.fix}.`
}

/** Explains the token with the options of the called service. The token must have each scope, or a role with its name. */
export async function verifyToken(
  { issuer, audience, verification }: ProtectedBy,
  scopes: readonly string[],
  token: string,
): Promise<Finding> {
  for (const scope of scopes) {
    const { checks } = await explain(token, {
      issuer,
      audience,
      ...verification,
      rule: { scopes: [scope], roles: [scope] },
    })
    const failed = checks.find(({ result }) => result === 'failed')
    if (failed === undefined) continue
    const { detail, found, fix = '' } = failed
    const values = found === '' ? '' : `. The token has ${found}`
    return { isWell: false, found: `refused: ${detail}${values}`, remedy: withVariables(`${fix}.`) }
  }
  return { isWell: true, found: `valid for ${audience}, with ${scopes.join(' and ')}` }
}
