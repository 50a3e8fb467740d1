import type { AddressInfo } from 'node:net'
import { Events, OAuth2Server } from 'oauth2-mock-server'
import t, { type Test } from 'tap'
import { audience, clientId, clientSecret, scope, startApi, startClient } from './service.js'

/** oauth2-mock-server. Every client gets a token; the server's metadata lists no client authentication but `none`. */
async function startMockServer(t: Test) {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('ES256')
  await server.start(0, '127.0.0.1')
  t.teardown(() => server.listening && server.stop())
  const { port } = server.address() as AddressInfo
  return { server, port, issuer: server.issuer.url! }
}

const secret = { clientSecret }
/** The parameter that this server writes into the token's `aud`. */
const forApi = { parameters: { aud: audience } }
/** Tokens name no client. */
const profile = 'generic'

t.test('accepts tokens, and sends HTTP Basic without escaping a hyphen', async t => {
  const { server, issuer } = await startMockServer(t)
  const api = await startApi(t, { issuer, profile })
  const seen: (string | undefined)[] = []
  server.service.on(Events.BeforeResponse, (_, { headers }) => seen.push(headers.authorization))
  t.equal(await startClient(t, api.url, { issuer, ...secret, ...forApi }).get(), 200)
  t.strictSame(seen, [`Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`])
  t.strictSame(api.refusals, [])
})

t.test('discovers an issuer that ends with a slash', async t => {
  const { server, issuer: without } = await startMockServer(t)
  const issuer = `${without}/`
  server.issuer.url = issuer
  const api = await startApi(t, { issuer, profile })
  t.equal(await startClient(t, api.url, { issuer, ...secret, ...forApi }).get(), 200)
  await t.rejects(startClient(t, api.url, { issuer: without, ...secret }).client.getToken(), {
    code: 'TOKEN_CLIENT_UNAVAILABLE',
    detail: new RegExp(`"${issuer}"`),
  } as never)
})

t.test('names the option for each claim that the introspection response lacks', async t => {
  const { server, issuer } = await startMockServer(t)
  server.service.on(Events.BeforeResponse, response => {
    Object.assign(response.body, { access_token: 'opaque' })
  })
  let introspected: object = {}
  server.service.on(Events.BeforeIntrospect, response => Object.assign(response.body, introspected))
  const introspection = { ...secret, clientId, cacheMs: 0 }
  const strict = await startApi(t, { issuer, profile, introspection })
  const lax = await startApi(t, {
    issuer,
    profile,
    introspection: { ...introspection, acceptWithout: ['aud', 'exp'] },
  })
  const get = (url: string) => startClient(t, url, { issuer, ...secret }).get()
  introspected = { iss: issuer, scope }
  t.equal(await get(strict.url), 401)
  t.match(strict.refusals.at(-1), /acceptWithout: \['aud'\]/)
  t.equal(await get(lax.url), 200)
  introspected = { iss: issuer, scope, aud: audience }
  t.equal(await get(strict.url), 401)
  t.match(strict.refusals.at(-1), /acceptWithout: \['exp'\]/)
  introspected = { iss: issuer, scope, aud: 'https://payments.example.com' }
  t.equal(await get(lax.url), 401, 'an audience that is present is still compared')
  t.match(lax.refusals.at(-1), /^audience: /)
})

t.test('accepts tokens with a new key immediately', async t => {
  const { server, issuer } = await startMockServer(t)
  const api = await startApi(t, { issuer, profile })
  t.equal(await startClient(t, api.url, { issuer, ...secret, ...forApi }).get(), 200)
  for (const algorithm of ['RS256', 'EdDSA', 'Ed25519'] as const) {
    const { kid } = await server.issuer.keys.generate(algorithm)
    // The server takes its keys in turn; the new one is the last.
    while ((server.issuer.keys.get() as { kid: string }).kid !== kid);
    for (let next = 0; next < server.issuer.keys.toJSON().length; next += 1)
      t.equal(await startClient(t, api.url, { issuer, ...secret, ...forApi }).get(), 200, algorithm)
  }
  t.strictSame(api.refusals, [])
})

t.test('survives an outage with cached tokens and keys', async t => {
  const { server, port, issuer } = await startMockServer(t)
  const api = await startApi(t, { issuer, profile })
  const { client, clock, get } = startClient(t, api.url, { issuer, ...secret, ...forApi })
  t.equal(await get(), 200)
  await server.stop()
  t.equal(await get(), 200)
  clock.ahead = 2 * 3_600_000
  await t.rejects(client.getToken(), { code: 'TOKEN_CLIENT_UNAVAILABLE' })
  await server.start(port, '127.0.0.1')
  clock.ahead += 60_000
  t.equal(await get(), 200)
})
