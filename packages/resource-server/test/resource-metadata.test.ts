import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import { audience, startBench } from './protected-app.js'

const issuer = 'https://login.example.com'
const { keys } = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }] }

function build(
  t: Test,
  options: Partial<ResourceServerOptions>,
  register: (app: FastifyInstance, options: ResourceServerOptions) => void = (app, given) =>
    void app.register(resourceServer, given),
): FastifyInstance {
  const app = fastify()
  t.teardown(() => app.close())
  register(app, { issuer, audience, keys, resourceMetadata: true, ...options })
  return app
}

t.test('publishes what a client needs to find the issuer (RFC 9728)', async t => {
  const app = build(t, {
    resourceMetadata: { name: 'Receipts', documentation: 'https://docs.example.com/receipts' },
  })
  app.get('/receipts', { config: { oauth: { scopes: ['receipts:write', 'receipts:read'] } } }, async () => '')
  app.get('/admin', { config: { oauth: { scopes: ['admin'] } } }, async () => '')
  app.get('/open', { config: { oauth: false } }, async () => '')
  const answer = await app.inject('/.well-known/oauth-protected-resource')
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^application\/json/)
  t.equal(answer.headers['access-control-allow-origin'], '*')
  t.same(answer.json(), {
    resource: audience,
    authorization_servers: [issuer],
    scopes_supported: ['admin', 'receipts:read', 'receipts:write'],
    bearer_methods_supported: ['header'],
    resource_name: 'Receipts',
    resource_documentation: 'https://docs.example.com/receipts',
  })
  const refused = await app.inject('/receipts')
  t.equal(
    refused.headers['www-authenticate'],
    'Bearer scope="receipts:write receipts:read", resource_metadata="https://api.example.com/.well-known/oauth-protected-resource"',
  )
  t.match(
    (await app.inject({ url: '/receipts', headers: { authorization: 'Bearer x' } })).headers[
      'www-authenticate'
    ],
    /error="invalid_token".*resource_metadata="https:\/\/api\.example\.com\/\.well-known/,
    'in every challenge',
  )
})

t.test('allows browsers to request the metadata from any origin, with custom headers', async t => {
  const app = build(t, {})
  const { statusCode, headers } = await app.inject({
    method: 'OPTIONS',
    url: '/.well-known/oauth-protected-resource',
    headers: {
      origin: 'https://client.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'mcp-protocol-version',
    },
  })
  t.equal(statusCode, 204)
  t.equal(headers['access-control-allow-origin'], '*')
  t.equal(headers['access-control-allow-headers'], '*')
})

t.test('serves the metadata at the well-known path of the resource, whatever the prefix', async t => {
  const resource = 'https://example.com/api/v1'
  const app = build(t, { resourceMetadata: { resource } }, (root, options) => {
    root.register(
      async scope => {
        scope.register(resourceServer, options)
        scope.get('/receipts', async () => '')
      },
      { prefix: '/api/v1' },
    )
  })
  const answer = await app.inject('/.well-known/oauth-protected-resource/api/v1')
  t.equal(answer.json<{ resource: string }>().resource, resource)
  t.match(
    (await app.inject('/api/v1/receipts')).headers['www-authenticate'],
    /resource_metadata="https:\/\/example\.com\/\.well-known\/oauth-protected-resource\/api\/v1"/,
  )
})

t.test('serves a path with a colon', async t => {
  const app = build(t, { resourceMetadata: { resource: 'https://example.com/tenants:all/v1' } })
  const at = async (path: string): Promise<number> =>
    (await app.inject(`/.well-known/oauth-protected-resource${path}`)).statusCode
  t.equal(await at('/tenants:all/v1'), 200)
  t.equal(await at('/tenantsome/v1'), 404)
})

t.test('serves a path with percent-encoded letters', async t => {
  const app = build(t, { resourceMetadata: { resource: 'https://example.com/café-one' } })
  t.equal((await app.inject('/.well-known/oauth-protected-resource/caf%C3%A9-one')).statusCode, 200)
})

t.test('serves the metadata of several resources', async t => {
  const app = build(t, {}, (root, options) => {
    for (const name of ['one', 'two']) {
      const resource = `https://example.com/${name}`
      root.register(async scope => {
        scope.register(resourceServer, { ...options, audience: resource })
        scope.get(`/${name}`, { config: { oauth: { scopes: [name] } } }, async () => '')
      })
    }
  })
  for (const name of ['one', 'two'])
    t.match((await app.inject(`/.well-known/oauth-protected-resource/${name}`)).json(), {
      resource: `https://example.com/${name}`,
      scopes_supported: [name],
    })
})

t.test('shares one document between versions of an API, which must agree', async t => {
  const versions = (name: string): FastifyInstance =>
    build(t, {}, (root, options) => {
      for (const version of ['v1', 'v2'])
        root.register(
          async scope => {
            scope.register(resourceServer, {
              ...options,
              resourceMetadata: { name: version === 'v1' ? 'Receipts' : name },
            })
            scope.get('/receipts', { config: { oauth: { scopes: ['both', version] } } }, async () => '')
          },
          { prefix: `/${version}` },
        )
    })
  const document = (await versions('Receipts').inject('/.well-known/oauth-protected-resource')).json()
  t.match(document, { resource: audience, scopes_supported: ['both', 'v1', 'v2'] })
  await t.rejects(async () => versions('Bills').ready(), {
    code: 'OAUTH_INVALID_OPTION',
    message:
      /another scope publishes different metadata for the resource https:\/\/api\.example\.com; use the same issuers/,
  })
})

t.test('describes which bound tokens are accepted', async t => {
  const app = build(t, { dpop: { mode: 'require', algorithms: ['ES256'] }, clientCertificate: 'socket' })
  t.match((await app.inject('/.well-known/oauth-protected-resource')).json(), {
    tls_client_certificate_bound_access_tokens: true,
    dpop_signing_alg_values_supported: ['ES256'],
    dpop_bound_access_tokens_required: true,
  })
})

t.test('publishes nothing by default, and does not start with invalid options', async t => {
  const { app } = await startBench(t)
  t.equal((await app.inject('/.well-known/oauth-protected-resource')).statusCode, 404)
  const wrong: [Partial<ResourceServerOptions>, RegExp][] = [
    [{ audience: 'receipts' }, /option `resourceMetadata\.resource` is missing; expected the URL that/],
    [{ audience: ['https://a.example', 'https://b.example'] }, /`resourceMetadata\.resource` is missing/],
    [{ resourceMetadata: { resource: 'https://a.example/?x=1' } }, /without a query or fragment/],
    [{ resourceMetadata: { resource: 'http://a.example' } }, /expected an https URL/],
    [
      { resourceMetadata: { resource: 'https://a.example/%zz' } },
      /`resourceMetadata\.resource` is "https:\/\/a\.example\/%zz"/,
    ],
    [{ resourceMetadata: { name: '' } }, /`resourceMetadata\.name`/],
    [
      { resourceMetadata: 'yes' as never },
      /option `resourceMetadata` is "yes"; expected true, false or an object/,
    ],
    [{ resourceMetadata: { resources: '' } as never }, /did you mean `resource`/],
  ]
  for (const [options, message] of wrong)
    await t.rejects(async () => build(t, options).ready(), { message }, String(message))
})
