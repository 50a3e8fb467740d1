import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { OAuth2Server } from 'oauth2-mock-server'
import t, { type Test } from 'tap'
import { createTestIssuer } from 'oauth-test-issuer'
import { listen } from 'test-support/listen'
import { audience, clientId, clientSecret, scope, startApi, startClient } from './service.js'

// Debian installs it where only root's PATH looks.
const nginx = ['/usr/sbin/nginx', '/usr/bin/nginx'].find(existsSync) ?? 'nginx'
const skip = spawnSync(nginx, ['-v']).status === 0 ? false : 'nginx is not installed'

/** nginx in front of a server, with the configuration that its beginner's guide shows; returns its origin. */
async function startNginx(t: Test, upstream: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'))
  const socket = join(folder, 'socket')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
    events { worker_connections 64; }
    http {
      access_log off;
      ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
      server {
        listen unix:${socket};
        # With a path after the upstream's origin, nginx decodes the request's path and encodes it again.
        location / { proxy_pass ${upstream}/; proxy_set_header Host $http_host; }
      }
    }`,
  )
  const server = spawn(nginx, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  t.teardown(async () => {
    const ended = server.exitCode ?? once(server, 'exit')
    server.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  while (!existsSync(socket)) {
    if (server.exitCode !== null) throw new Error('nginx does not start')
    await delay(10)
  }
  return forwardTo(t, socket)
}

/** A free port that leads to a Unix socket: nginx cannot choose a free port. */
async function forwardTo(t: Test, socket: string): Promise<string> {
  const server = createTcpServer(client => {
    const upstream = connect(socket)
    client.pipe(upstream).pipe(client)
    for (const one of [client, upstream]) one.on('error', () => one.destroy())
    t.teardown(() => client.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function startIssuer(t: Test) {
  const issuer = await createTestIssuer()
  t.teardown(() => issuer.close())
  issuer.registerClient({ clientId, clientSecret, audience, scopes: [scope] })
  return { issuer: issuer.url, clientSecret, resource: audience }
}

t.test('an API behind nginx: no path leaves the path of baseUrl', { skip }, async t => {
  const seen: IncomingMessage['url'][] = []
  const server = createServer((request, response) => {
    seen.push(request.url)
    response.end('ok')
  })
  const origin = await startNginx(t, await listen(t, server))
  const { client } = startClient(t, `${origin}/v1/tenants/42`, await startIssuer(t))

  const plain = await fetch(`${origin}/v1/tenants/42/..%2f43/items`)
  t.equal(plain.status, 200)
  t.equal(
    seen.pop(),
    '/v1/tenants/43/items',
    'nginx decodes the path: without confinement it reaches another tenant',
  )

  for (const escape of ['/..%2f43/items', '/%2e%2e/43/items', '/%2E%2E%2F43/items', '/a/..%2f..%2f43/items'])
    await t.rejects(client.request({ path: escape }), { message: /must not contain \.\. segments/ }, escape)
  t.strictSame(seen, [])

  for (const path of ['/items', '/a%2Fb/items', '/caf%C3%A9', '/a..b', '/items?next=..%2f43']) {
    const { statusCode, body } = await client.request({ path })
    await body.dump()
    t.equal(statusCode, 200, path)
    t.match(seen.pop(), /^\/v1\/tenants\/42\//, path)
  }
})

t.test('protects an API behind nginx', { skip }, async t => {
  const issuer = await startIssuer(t)
  const api = await startApi(t, { issuer: issuer.issuer })
  const origin = await startNginx(t, api.url)
  t.equal(await startClient(t, origin, issuer).get(), 200)
  const refused = await fetch(`${origin}/receipts`)
  t.equal(refused.status, 401)
  t.match(refused.headers.get('www-authenticate'), /^Bearer/, 'the challenge passes through')
  const { headers } = await fetch(`${origin}/receipts`, { headers: { authorization: 'Bearer a.b.c' } })
  t.match(headers.get('www-authenticate'), /error="invalid_token"/)
})

t.test('survives an outage of an issuer behind nginx', { skip }, async t => {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('ES256')
  await server.start(0, '127.0.0.1')
  t.teardown(() => server.listening && server.stop())
  const { port } = server.address() as AddressInfo
  const issuer = await startNginx(t, `http://127.0.0.1:${port}`)
  server.issuer.url = issuer
  const api = await startApi(t, { issuer, profile: 'generic' })
  const credentials = { issuer, clientSecret, parameters: { aud: audience } }
  const { client, clock, get } = startClient(t, api.url, credentials)
  t.equal(await get(), 200)
  await server.stop()
  t.equal(await get(), 200)
  clock.ahead = 2 * 3_600_000
  await t.rejects(client.getToken(), { code: 'TOKEN_CLIENT_UNAVAILABLE', detail: /502/ } as never)
  await server.start(port, '127.0.0.1')
  server.issuer.url = issuer // the start has set it to the server's own origin
  clock.ahead += 60_000
  t.equal(await get(), 200)
})
