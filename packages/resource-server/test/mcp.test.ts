import { createServer } from 'node:http'
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import fastify, { type FastifyInstance } from 'fastify'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import resourceServer from 'fastify-resource-server'
import { listen } from 'test-support/listen'

/** A server of the Model Context Protocol with one tool, which tells who calls. */
function tools(clientId: string | null): McpServer {
  const server = new McpServer({ name: 'receipts', version: '1.0.0' })
  server.registerTool('caller', { description: 'Who calls' }, async () => ({
    content: [{ type: 'text' as const, text: String(clientId) }],
  }))
  return server
}

async function startMcp(t: Test, issuer: TestIssuer): Promise<{ app: FastifyInstance; url: string }> {
  // It listens first: the URL of the API is in its options.
  const server = createServer()
  const url = `${await listen(t, server)}/mcp`
  const app = fastify({ serverFactory: handler => server.on('request', handler) })
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    issuer: issuer.url,
    audience: url,
    resourceMetadata: { name: 'Receipts for agents' },
  })
  app.post('/mcp', { config: { oauth: { scopes: ['tools'] } } }, async (request, reply) => {
    reply.hijack()
    const transport = new StreamableHTTPServerTransport({})
    await tools(request.auth.clientId).connect(transport as never)
    await transport.handleRequest(request.raw, reply.raw, request.body)
  })
  app.get('/mcp', { config: { oauth: { scopes: ['tools'] } } }, async (_, reply) => reply.code(405).send())
  await app.ready()
  return { app, url }
}

/** The SDK wants one also of an issuer for machines, which needs none (RFC 8414 §2). */
async function withAuthorizationEndpoint(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (!String(url).includes('/.well-known/oauth-authorization-server') || !response.ok) return response
  const metadata = (await response.json()) as { issuer: string }
  return Response.json({ ...metadata, authorization_endpoint: `${metadata.issuer}/authorize` })
}

t.test('a client of the official SDK finds issuer, token and tool from the URL alone', async t => {
  const issuer = await createTestIssuer()
  t.teardown(() => issuer.close())
  const { url } = await startMcp(t, issuer)
  const { clientId, clientSecret } = issuer.registerClient({
    clientId: 'agent',
    audience: url,
    scopes: ['tools'],
  })
  const client = new Client({ name: 'agent', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: withAuthorizationEndpoint,
    authProvider: new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer: issuer.url }),
  })
  await client.connect(transport as never)
  t.teardown(() => client.close())
  const { content } = await client.callTool({ name: 'caller' })
  t.same(content, [{ type: 'text', text: 'agent' }])

  t.equal(issuer.requests.count('token'), 1, 'with one token of the issuer that the metadata names')
})

t.test('a client without the scope is told which one is missing', async t => {
  const issuer = await createTestIssuer()
  t.teardown(() => issuer.close())
  const { app, url } = await startMcp(t, issuer)
  const token = await issuer.token({ audience: url, scopes: ['other'] })
  const { statusCode, headers } = await app.inject({
    method: 'POST',
    url: '/mcp',
    headers: { authorization: `Bearer ${token}` },
    payload: {},
  })
  t.equal(statusCode, 403)
  t.match(headers['www-authenticate'], /error="insufficient_scope".*scope="tools".*resource_metadata="http/)
})
