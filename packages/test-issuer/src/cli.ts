#!/usr/bin/env node
import { parseArgs } from 'node:util'
import type { ProfileName } from './issue/profile.js'
import { profileNames } from './issue/profiles.js'
import type { ClientCredentials } from './clients/registry.js'
import { createTestIssuer } from './test-issuer.js'

const usage = `oauth-test-issuer --audience URI [options]   serves an issuer on this machine, until Ctrl+C

  --audience URI       whom tokens are for; may be given several times
  --scope "A B"        scopes of the token and of the client; may be given several times
  --subject NAME       the user the token speaks for (default: the client itself)
  --client-id ID       the client (default: test-client)
  --client-secret S    its secret (default: made up)
  --profile NAME       ${profileNames.join(', ')} (default: rfc9068)
  --expires-in-ms MS   token lifetime in milliseconds (default: 3600000)
  --port PORT          (default: a free one)
  --api URL            what the curl line calls (default: the audience)`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      audience: { type: 'string', multiple: true },
      scope: { type: 'string', multiple: true },
      subject: { type: 'string' },
      'client-id': { type: 'string', default: 'test-client' },
      'client-secret': { type: 'string' },
      profile: { type: 'string', default: 'rfc9068' },
      'expires-in-ms': { type: 'string', default: '3600000' },
      port: { type: 'string', default: '0' },
      api: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return console.log(usage)
  const { audience, subject, api, 'client-id': clientId, 'client-secret': clientSecret } = values
  if (audience === undefined) throw new TypeError(`the audience is missing; give --audience\n\n${usage}`)
  const issuer = await createTestIssuer({
    profile: values.profile as ProfileName,
    audience,
    expiresInMs: Number(values['expires-in-ms']),
    port: Number(values.port),
  })
  const scopes = (values.scope ?? []).flatMap(text => text.split(' ')).filter(Boolean)
  try {
    const client = issuer.registerClient({
      clientId,
      audience,
      scopes,
      ...(clientSecret === undefined ? {} : { clientSecret }),
    })
    const token = await issuer.token({ scopes, clientId, ...(subject === undefined ? {} : { subject }) })
    console.log(`issuer          ${issuer.url}
metadata        ${issuer.url.replace(/\/$/, '')}/.well-known/openid-configuration
keys            ${issuer.jwksUri}
token endpoint  ${issuer.tokenEndpoint}

Call the API with a token that lives ${Number(values['expires-in-ms']) / 1000} s:

curl -H 'Authorization: Bearer ${token}' ${quoted(api ?? audience[0] ?? '')}

Get another one, as a client does:

curl -u ${credentialsOf(client)} -d ${tokenRequest(audience, scopes)} ${issuer.tokenEndpoint}
`)
  } catch (error) {
    await issuer.close()
    throw error
  }
  // The issuer's socket alone would not keep this process running.
  const running = setInterval(() => {}, 2 ** 31 - 1)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      clearInterval(running)
      void issuer.close()
    })
}

/** RFC 6749 §4.4.2, RFC 8707 §2. */
function tokenRequest([resource = '']: readonly string[], scopes: readonly string[]): string {
  const parameters = { grant_type: 'client_credentials', resource }
  return quoted(
    new URLSearchParams(
      scopes.length === 0 ? parameters : { ...parameters, scope: scopes.join(' ') },
    ).toString(),
  )
}

/** RFC 6749 §2.3.1: both halves are form-urlencoded before they are joined. */
function credentialsOf({ clientId, clientSecret }: ClientCredentials): string {
  return quoted(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)
}

function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice('text='.length)
}

/** For a shell, as it is. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
