#!/usr/bin/env node
import { parseArgs } from 'node:util'
import type { ProfileName } from './issue/profile.js'
import { profileNames } from './issue/profiles.js'
import type { ClientCredentials } from './clients/registry.js'
import { createTestIssuer } from './test-issuer.js'

const usage = `oauth-test-issuer --audience URI [options]   serves an issuer on this machine until Ctrl+C

  --audience URI       the audience of tokens; may be repeated
  --scope "A B"        the scopes of the token and of the client; may be repeated
  --subject NAME       the user on whose behalf the client acts (default: none)
  --client-id ID       the client id (default: test-client)
  --client-secret S    the client secret (default: random)
  --profile NAME       ${profileNames.join(', ')} (default: rfc9068)
  --expires-in-ms MS   token lifetime in milliseconds (default: 3600000)
  --port PORT          the port on 127.0.0.1 (default: a free port)
  --api URL            the URL in the curl command (default: the audience)`

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
  if (audience === undefined) throw new TypeError(`the audience is missing; add --audience\n\n${usage}`)
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

Call the API with a token that expires in ${Number(values['expires-in-ms']) / 1000} s:

curl -H 'Authorization: Bearer ${token}' ${quoted(api ?? audience[0] ?? '')}

Request another token, as a client does:

curl -u ${credentialsOf(client)} -d ${tokenRequest(audience, scopes)} ${issuer.tokenEndpoint}
`)
  } catch (error) {
    await issuer.close()
    throw error
  }
  // This timer keeps the process running, because the issuer's socket does not.
  const running = setInterval(() => {}, 2 ** 31 - 1)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      clearInterval(running)
      void issuer.close()
    })
}

/** Formats the body of a token request (RFC 6749 §4.4.2, RFC 8707 §2). */
function tokenRequest([resource = '']: readonly string[], scopes: readonly string[]): string {
  const parameters = { grant_type: 'client_credentials', resource }
  return quoted(
    new URLSearchParams(
      scopes.length === 0 ? parameters : { ...parameters, scope: scopes.join(' ') },
    ).toString(),
  )
}

/** Formats the credentials for HTTP Basic. The client id and the secret are each form-urlencoded (RFC 6749 §2.3.1). */
function credentialsOf({ clientId, clientSecret }: ClientCredentials): string {
  return quoted(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)
}

function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice('text='.length)
}

/** Quotes text for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
