#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { dialects, type DialectName } from './issue/dialects.js'
import { createTestIssuer } from './test-issuer.js'

const usage = `oauth-test-issuer --audience URI [options]   serves an issuer on this machine, until Ctrl+C

  --audience URI       whom tokens are for; may be given several times
  --scope "A B"        scopes of the token and of the client; may be given several times
  --subject NAME       the user the token speaks for (default: the client itself)
  --client-id ID       the client (default: test-client)
  --client-secret S    its secret (default: made up)
  --dialect NAME       ${Object.keys(dialects).join(', ')} (default: rfc9068)
  --expires-in SECONDS how long tokens live (default: 3600)
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
      dialect: { type: 'string', default: 'rfc9068' },
      'expires-in': { type: 'string', default: '3600' },
      port: { type: 'string', default: '0' },
      api: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return console.log(usage)
  const { audience, subject, 'client-id': clientId, 'client-secret': givenSecret } = values
  if (audience === undefined) throw new TypeError(`whom are tokens for? Give --audience\n\n${usage}`)
  const scopes = (values.scope ?? []).flatMap(text => text.split(' ')).filter(Boolean)
  const issuer = await createTestIssuer({
    dialect: values.dialect as DialectName,
    audience,
    expiresIn: Number(values['expires-in']),
    port: Number(values.port),
  })
  const { clientSecret } = issuer.registerClient({
    clientId,
    audience,
    scopes,
    ...(givenSecret === undefined ? {} : { clientSecret: givenSecret }),
  })
  const token = await issuer.token({ scopes, clientId, ...(subject === undefined ? {} : { subject }) })
  const parameters = [
    'grant_type=client_credentials',
    ...audience.slice(0, 1).map(uri => `resource=${encodeURIComponent(uri)}`),
    ...(scopes.length === 0 ? [] : [`scope=${encodeURIComponent(scopes.join(' '))}`]),
  ]
  console.log(`issuer          ${issuer.url}
metadata        ${issuer.url.replace(/\/$/, '')}/.well-known/openid-configuration
keys            ${issuer.jwksUri}
token endpoint  ${issuer.tokenEndpoint}

Call the API with a token that lives ${values['expires-in']} s:

curl -H 'Authorization: Bearer ${token}' ${values.api ?? audience[0]}

Get another one, as a client does:

curl -u '${clientId}:${clientSecret}' -d '${parameters.join('&')}' ${issuer.tokenEndpoint}
`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void issuer.close())
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
