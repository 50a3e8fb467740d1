import { createServer } from 'node:http'
import {
  Client,
  ClientCredentialsProvider,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type LightMyRequestResponse,
} from 'fastify'
import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import resourceServer from 'fastify-resource-server'
import { listen } from 'test-support/listen'

const answer = (text: string) => ({ content: [{ type: 'text' as const, text }] })

/** A server of the Model Context Protocol (2026-07-28) with two tools; one of them tells who calls. */
function tools(clientId: string | undefined): McpServer {
  const server = new McpServer({ name: 'receipts', version: '1.0.0' })
  server.registerTool('caller', { description: 'Who calls' }, async () => answer(String(clientId)))
  server.registerTool('void', { description: 'Voids a receipt' }, async () => answer('voided'))
  return server
}

interface McpMessage {
  readonly method?: unknown
  readonly params?: { readonly name?: unknown } | null
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
    scopes: {
      'receipts:admin': ['receipts:write'],
      'receipts:write': ['receipts:read'],
      'receipts:read': [],
    },
    resourceMetadata: { name: 'Receipts for agents' },
  })
  const toolGuards = new Map([['void', app.oauth.authenticate({ scopes: ['receipts:write'] })]])
  const guardTool = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const { body } = request
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      return void reply.code(400).send('one message for each request')
    const { method, params } = body as McpMessage
    if (method !== 'tools/call') return done()
    if (typeof params?.name !== 'string') return void reply.code(400).send('the name of a tool is a string')
    const guard = toolGuards.get(params.name)
    if (guard === undefined) done()
    else guard(request, reply, done)
  }
  const handle = toNodeHandler(createMcpHandler(({ authInfo }) => tools(authInfo?.clientId)))
  app.post(
    '/mcp',
    { config: { oauth: { scopes: ['receipts:read'] } }, preHandler: guardTool },
    async ({ raw, body, auth }, reply) => {
      reply.hijack()
      const authInfo = { token: '', clientId: auth.clientId ?? '', scopes: [...auth.scopes] }
      // With exactOptionalPropertyTypes, Node's own requests do not fit the SDK's type.
      const incoming = Object.assign(raw, { auth: authInfo }) as Parameters<typeof handle>[0]
      await handle(incoming, reply.raw, body)
    },
  )
  await app.ready()
  return { app, url }
}

t.test('lets a client of the official SDK find the issuer, the scope and the tool from the URL', async t => {
  const issuer = await createTestIssuer()
  t.teardown(() => issuer.close())
  const { url } = await startMcp(t, issuer)
  const { clientId, clientSecret } = issuer.registerClient({
    clientId: 'agent',
    audience: url,
    scopes: ['receipts:read', 'receipts:write'],
  })
  const client = new Client({ name: 'agent', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    authProvider: new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer: issuer.url }),
  })
  await client.connect(transport)
  t.teardown(() => client.close())
  const { content } = await client.callTool({ name: 'caller' })
  t.same(content, [{ type: 'text', text: 'agent' }])
  const requested = (): unknown[] => issuer.requests.of('token').map(({ scope }) => scope)
  t.same(requested(), ['receipts:read'], 'one token, for the scope in the challenge')

  const voided = await client.callTool({ name: 'void' })
  t.same(voided.content, [{ type: 'text', text: 'voided' }])
  t.same(requested(), ['receipts:read', 'receipts:read receipts:write'], 'and one with the scope of the tool')
})

t.test('checks the scope of the tool in the body, independent of the headers', async t => {
  const issuer = await createTestIssuer()
  t.teardown(() => issuer.close())
  const { app, url } = await startMcp(t, issuer)
  const post = async (
    scope: string | undefined,
    tool: string,
    payload?: object,
  ): Promise<LightMyRequestResponse> => {
    const token = scope === undefined ? undefined : await issuer.token({ audience: url, scopes: [scope] })
    return app.inject({
      method: 'POST',
      url: '/mcp',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        accept: 'application/json, text/event-stream',
        'mcp-method': 'tools/call',
        'mcp-name': 'caller',
      },
      payload: payload ?? { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } },
    })
  }
  const missing = await post(undefined, 'caller')
  t.equal(missing.statusCode, 401)
  t.match(missing.headers['www-authenticate'], /^Bearer scope="receipts:read", resource_metadata="http/)
  const refused = await post('receipts:read', 'void')
  t.equal(refused.statusCode, 403)
  t.match(
    refused.headers['www-authenticate'],
    /error="insufficient_scope".*scope="receipts:write".*resource_metadata="http/,
  )
  t.equal((await post('other', 'caller')).statusCode, 403)
  t.equal((await post('receipts:read', 'void', [])).statusCode, 400)
  for (const scope of ['receipts:write', 'receipts:admin'])
    t.match(
      (await post(scope, 'void')).body,
      /voided/,
      `${scope} includes what the tool and the route require`,
    )
})

const call = (params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })

t.test('answers invalid messages with a client error', async t => {
  const issuer = await createTestIssuer()
  t.teardown(() => issuer.close())
  const { app, url } = await startMcp(t, issuer)
  const token = await issuer.token({ audience: url, scopes: ['receipts:read'] })
  const authorization = `Bearer ${token}`
  const bodies: Record<string, string | undefined> = {
    'no body': undefined,
    null: 'null',
    'a number': '7',
    'a string': '"tools/call"',
    'a list': '[]',
    'an empty object': '{}',
    'no params': call(undefined),
    'params that are null': call(null),
    'params that are a string': call('void'),
    'no name': call({}),
    'a name that is an object': call({ name: {} }),
    'a name that cannot be converted': call({ name: { toString: null } }),
    'a list with the name': call({ name: ['void'] }),
    'a method that is an object': JSON.stringify({ jsonrpc: '2.0', id: 1, method: { toString: null } }),
  }
  for (const [name, payload] of Object.entries(bodies)) {
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: '/mcp',
      headers: {
        authorization,
        accept: 'application/json, text/event-stream',
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(payload === undefined ? {} : { payload }),
    })
    t.equal(statusCode, 400, name)
    t.notMatch(body, /voided/, name)
  }
  const headers = { authorization, 'content-type': 'text/plain' }
  t.equal((await app.inject({ method: 'POST', url: '/mcp', headers, payload: 'text' })).statusCode, 400)
})
