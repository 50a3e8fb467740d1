import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { compactVerify, decodeProtectedHeader } from 'jose'
import t, { type Test } from 'tap'
import { createTokenClient, type TokenClient, type TokenClientOptions } from 'fastify-token-client'
import {
  makeCertificate,
  makeCertificateUntil,
  type CertificateWithKey as Pair,
} from 'test-support/certificate'
import { faults, settle, watchProcess } from 'test-support/faults'
import { listen } from 'test-support/listen'
import { failureOf, start } from './standing-clock.js'
import { json, startTokenEndpoint } from './token-endpoint.js'

/** An authorization server and an API that bind tokens to the client certificate (RFC 8705 §3). */
interface BindingServer {
  readonly url: string
  readonly ca: string
  /** Subject of the certificate of each token request, in order. */
  readonly requested: string[]
  /** Of each call with a token that was bound to its certificate. */
  readonly accepted: string[]
  /** Of each call with a token that was bound to another one. */
  readonly refused: string[]
  /** Of each open connection. */
  readonly open: () => string[]
  /** Holds the answers to `/slow` back until then. */
  readonly release: () => void
}

async function startBindingServer(t: Test, lifetime: number = 1_000): Promise<BindingServer> {
  const tls = await makeCertificate('localhost')
  const requested: string[] = []
  const accepted: string[] = []
  const refused: string[] = []
  const sockets = new Map<TLSSocket, string>()
  const held: (() => void)[] = []
  let isReleased = false

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket as TLSSocket
    const subject = sockets.get(socket) ?? ''
    request.resume()
    if (request.url === '/token') {
      requested.push(subject)
      return json(response, 200, {
        access_token: `${subject}.${requested.length}`,
        token_type: 'Bearer',
        expires_in: lifetime,
      })
    }
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    const isBound = token.split('.')[0] === subject
    ;(isBound ? accepted : refused).push(subject)
    const answer = (): void => void response.writeHead(isBound ? 200 : 401).end(subject)
    if (request.url === '/slow' && !isReleased) held.push(answer)
    else answer()
  }

  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, serve)
  server.on('secureConnection', socket => {
    sockets.set(socket, String(socket.getPeerX509Certificate()?.subject).slice('CN='.length))
    socket.on('close', () => sockets.delete(socket))
  })
  const url = await listen(t, server, 'https://localhost')
  function release(): void {
    isReleased = true
    for (const answer of held.splice(0)) answer()
  }
  return { url, ca: tls.cert, requested, accepted, refused, open: () => [...sockets.values()], release }
}

/** Files with a certificate and its key; `write` replaces them. */
function pairFiles(t: Test, first: Pair) {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const certificateFile = join(folder, 'tls.crt')
  const privateKeyFile = join(folder, 'tls.key')
  function write({ cert, key }: Partial<Pair>): void {
    if (cert !== undefined) writeFileSync(certificateFile, cert)
    if (key !== undefined) writeFileSync(privateKeyFile, key)
  }
  write(first)
  return { files: { certificateFile, privateKeyFile }, write }
}

function clientOf(
  t: Test,
  { url, ca }: BindingServer,
  more: Partial<TokenClientOptions>,
): { client: TokenClient; clock: { now: number } } {
  const clock = { now: start }
  const client = createTokenClient({
    baseUrl: url,
    tokenEndpoint: `${url}/token`,
    clientId: 'payment',
    clientAuthentication: 'tls_client_auth',
    ca,
    clock: () => clock.now,
    ...more,
  })
  t.teardown(() => client.close())
  return { client, clock }
}

/** Waits until something holds, for a second at most. */
async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 1_000
  while (!holds() && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 5))
}

/** One call in each way; resolves with the statuses. */
async function callInEachWay(client: TokenClient): Promise<number[]> {
  const { body, ...request } = await client.request({ path: '/', method: 'POST', body: 'again' })
  await body.dump()
  const fetched = await client.fetch('/')
  await fetched.text()
  const streamed = await client.stream(
    { path: '/' },
    () => new Writable({ write: (_chunk, _encoding, done) => done() }),
  )
  t.ok(streamed)
  const { status } = await client.fetch('/', {
    method: 'POST',
    duplex: 'half',
    body: new Blob(['b']).stream(),
  })
  return [request.statusCode, fetched.status, status]
}

const ways: Record<string, (t: Test, first: Pair) => [Partial<TokenClientOptions>, (pair: Pair) => void]> = {
  files(t, first) {
    const { files, write } = pairFiles(t, first)
    return [files, write]
  },
  'files, with interceptors'(t, first) {
    const { files, write } = pairFiles(t, first)
    const interceptors = { dns: true, deduplicate: true, cache: true, redirect: true, retry: true }
    return [{ ...files, interceptors }, write]
  },
  functions(_, first) {
    let now = first
    return [
      { certificate: async () => now.cert, privateKey: () => now.key },
      next => {
        now = next
      },
    ]
  },
  'functions beside a secret'(_, first) {
    let now = first
    return [
      {
        clientAuthentication: 'client_secret_post',
        clientSecret: 'secret',
        certificate: () => now.cert,
        privateKey: () => now.key,
      },
      next => {
        now = next
      },
    ]
  },
}

for (const [way, provide] of Object.entries(ways))
  t.test(`no call fails while a certificate from ${way} is replaced`, async t => {
    const server = await startBindingServer(t)
    const [options, replace] = provide(t, await makeCertificate('first'))
    const { client, clock } = clientOf(t, server, options)
    t.strictSame(await callInEachWay(client), [200, 200, 200])
    const slow = client.request({ path: '/slow' })
    await until(() => server.accepted.length === 5)

    replace(await makeCertificate('second'))
    t.strictSame(await callInEachWay(client), [200, 200, 200])
    t.strictSame([...new Set(server.accepted)], ['first'], 'the token is sent with its own certificate')
    clock.now += 900_000 // it is time to renew the token
    for (let wave = 0; wave < 20; wave += 1)
      t.strictSame(await callInEachWay(client), [200, 200, 200], `wave ${wave}`)
    t.strictSame(server.requested, ['first', 'second'])
    t.equal(server.accepted.at(-1), 'second', 'new connections present the new certificate')

    await until(() => server.open().filter(subject => subject === 'first').length === 1)
    t.equal(server.open().filter(subject => subject === 'first').length, 1, 'only the slow call still runs')
    server.release()
    const { statusCode, body } = await slow
    t.strictSame([statusCode, await body.text()], [200, 'first'])
    await until(() => !server.open().includes('first'))
    t.notOk(server.open().includes('first'), 'the last connection closes after its request')
    t.strictSame(server.refused, [])
  })

t.test('tokens of other views are sent with the certificate that they are bound to', async t => {
  const server = await startBindingServer(t)
  const { files, write } = pairFiles(t, await makeCertificate('first'))
  const { client, clock } = clientOf(t, server, files)
  const reader = client.with({ scopes: ['read'] })
  await client.getToken()
  await reader.getToken()
  write(await makeCertificate('second'))
  clock.now += 900_000
  await client.request({ path: '/' })
  await until(() => server.requested.length === 3)
  await settle()
  for (let time = 0; time < 3; time += 1) {
    await (await client.request({ path: '/' })).body.dump()
    await (await client.onBehalfOf('a token').request({ path: '/' })).body.dump()
  }
  clock.now -= 900_000 // the other token is not to be renewed yet
  await (await reader.request({ path: '/' })).body.dump()
  t.strictSame(server.requested, ['first', 'first', 'second', 'second'])
  t.equal(server.accepted.at(-1), 'first')
  t.strictSame(server.refused, [])
})

t.test('a mismatched certificate and key are an outage until they match', async t => {
  const server = await startBindingServer(t)
  const [first, second] = [await makeCertificate('first'), await makeCertificate('second')]
  const { files, write } = pairFiles(t, first)
  const { client, clock } = clientOf(t, server, files)
  await client.getToken()
  write({ cert: second.cert })
  clock.now += 900_000
  t.equal((await client.request({ path: '/' })).statusCode, 200)
  await until(() => client.health().reason !== undefined)
  t.match(client.health().reason, /the certificate does not match the private key/)
  write({ key: 'half of a file' })
  clock.now += 10_000
  t.equal((await client.request({ path: '/' })).statusCode, 200)
  t.strictSame(server.requested, ['first'], 'nothing is sent with half of a pair')
  write(second)
  clock.now += 60_000
  t.equal((await client.request({ path: '/' })).statusCode, 200)
  await until(() => server.requested.length === 2)
  t.strictSame(server.requested, ['first', 'second'])
})

t.test('files that are replaced between the two reads are read again', async t => {
  const server = await startBindingServer(t)
  const [first, second] = [await makeCertificate('first'), await makeCertificate('second')]
  let reads = 0
  const { client } = clientOf(t, server, {
    certificate: () => {
      reads += 1
      return reads === 1 ? first.cert : second.cert
    },
    privateKey: () => second.key,
  })
  await client.getToken()
  t.strictSame(server.requested, ['second'])
})

t.test('connections stay open while the certificate does not change', async t => {
  const server = await startBindingServer(t)
  const { files } = pairFiles(t, await makeCertificate('first'))
  const { client, clock } = clientOf(t, server, files)
  for (let time = 0; time < 5; time += 1) {
    await (await client.request({ path: '/' })).body.dump()
    clock.now += 1_000_000
  }
  t.equal(server.requested.length, 5)
  t.equal(server.open().length, 2, 'one to the token endpoint, one to the API')
})

t.test('a token is not used after its certificate has expired', async t => {
  const server = await startBindingServer(t, 3_600)
  const soon = Math.floor(Date.now() / 1000) * 1000 + 100_000
  const { files, write } = pairFiles(t, await makeCertificateUntil('first', new Date(soon)))
  const { client } = clientOf(t, server, { ...files, clock: Date.now })
  const { expiresAt } = await client.getToken()
  t.ok(Math.abs(expiresAt - soon) < 1_000, `${expiresAt - soon} ms after the certificate`)
  write(await makeCertificateUntil('expired', new Date(Date.now() - 10_000)))
  const late = await client.with({ scopes: ['other'] }).getToken()
  t.ok(late.expiresAt > soon + 3_000_000, 'who accepts an expired certificate decides about the token')
})

for (const [how, fault] of Object.entries(faults))
  t.test(`if a certificate function ${how}, calls fail in time, and the process does not end`, async t => {
    const fatal = watchProcess(t)
    const server = await startBindingServer(t)
    const { cert, key } = await makeCertificate('first')
    for (const options of [
      { certificate: fault, privateKey: key },
      { certificate: () => cert, privateKey: fault },
    ]) {
      const { client } = clientOf(t, server, { ...options, issuerTimeoutMs: 40 })
      const failure = await failureOf(client)
      t.match(failure, { code: 'TOKEN_CLIENT_UNAVAILABLE', message: /^Could not get an access token$/ })
      t.notMatch(failure.detail, 'PRIVATE KEY')
    }
    t.strictSame([server.requested, server.open()], [[], []])
    await settle()
    t.strictSame(fatal, [])
  })

t.test('close() waits for calls with earlier certificates', async t => {
  const server = await startBindingServer(t)
  const { files, write } = pairFiles(t, await makeCertificate('first'))
  const { client, clock } = clientOf(t, server, files)
  const slow = client.request({ path: '/slow' })
  await until(() => server.accepted.length === 1)
  write(await makeCertificate('second'))
  clock.now += 1_000_000
  await (await client.request({ path: '/' })).body.dump()
  const closed = client.close()
  server.release()
  t.equal(await (await slow).body.text(), 'first')
  await closed
  await until(() => server.open().length === 0)
  t.strictSame(server.open(), [])
  await t.rejects(client.request({ path: '/' }), { code: 'UND_ERR_CLOSED' })
})

t.test('the key that signs assertions, and its certificate, are read for each token request', async t => {
  const endpoint = await startTokenEndpoint(t)
  const { files, write } = pairFiles(t, await makeCertificate('first'))
  const client = createTokenClient({
    baseUrl: 'https://receipts.example.com',
    tokenEndpoint: endpoint.url,
    clientId: 'payment',
    ...files,
  })
  t.teardown(() => client.close())
  await client.getToken()
  const second = await makeCertificate('second')
  write(second)
  await client.with({ scopes: ['other'] }).getToken()
  const [before, after] = endpoint.requests.map(({ parameters }) => parameters.get('client_assertion') ?? '')
  t.not(decodeProtectedHeader(before ?? '')['x5t#S256'], decodeProtectedHeader(after ?? '')['x5t#S256'])
  const { raw, publicKey } = new X509Certificate(second.cert)
  t.equal(
    decodeProtectedHeader(after ?? '')['x5t#S256'],
    createHash('sha256').update(raw).digest('base64url'),
  )
  await compactVerify(after ?? '', publicKey)
})

t.test('clientAssertionType sets the type of an assertion, such as for SPIFFE JWT-SVIDs', async t => {
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
  const folder = mkdtempSync(join(tmpdir(), 'svid-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const clientAssertionFile = join(folder, 'svid')
  writeFileSync(clientAssertionFile, 'a.JWT.SVID\n')
  for (const proof of [{ clientAssertion: () => 'a.JWT.SVID' }, { clientAssertionFile }]) {
    const endpoint = await startTokenEndpoint(t)
    const client = createTokenClient({
      baseUrl: 'https://receipts.example.com',
      tokenEndpoint: endpoint.url,
      clientId: 'spiffe://example.org/payment',
      clientAssertionType: type,
      ...proof,
    })
    t.teardown(() => client.close())
    await client.getToken()
    t.strictSame(Object.fromEntries(endpoint.requests[0]?.parameters ?? []), {
      grant_type: 'client_credentials',
      client_id: 'spiffe://example.org/payment',
      client_assertion_type: type,
      client_assertion: 'a.JWT.SVID',
    })
  }
})

t.test('contradictory options and options without effect are refused', async t => {
  const { cert: certificate, key: privateKey } = await makeCertificate('first')
  const { privateKey: keyObject } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const mutual = { clientAuthentication: 'tls_client_auth' }
  const files = { certificateFile: '/c', privateKeyFile: '/k' }
  const store = { get() {}, set() {}, lock() {}, unlock() {} }
  const cases: [object, RegExp][] = [
    [{ privateKey, privateKeyFile: '/k' }, /`privateKey` and `privateKeyFile` cannot be combined/],
    [{ ...mutual, certificate, ...files }, /`certificate` and `certificateFile` cannot be combined/],
    [{ ...mutual, ...files, privateKey }, /`privateKey` and `privateKeyFile` cannot be combined/],
    [{ clientSecret: 's', privateKeyFile: '/k' }, /`clientSecret` and `privateKeyFile` cannot be combined/],
    [{ privateKeyFile: '' }, /`privateKeyFile` is ""; expected the path of a file/],
    [{ ...mutual, certificateFile: '/c' }, /requires `certificate` and `privateKey` as PEM text, functions/],
    [{ ...mutual, certificateFile: '/c', privateKey: keyObject }, /requires `certificate` and `privateKey`/],
    [{ clientAssertion: 'a', certificateFile: '/c' }, /`certificateFile` is "\/c", but has no effect with/],
    [
      { ...mutual, ...files, tokenStore: { store, encryptionKeys: 'none' } },
      /`tokenStore` cannot be combined with a certificate or key from a function or file/,
    ],
    [
      { clientSecret: 's', clientAssertionType: 'urn:a:b' },
      /`clientAssertionType` is "urn:a:b", but has no effect/,
    ],
    [
      { clientAssertion: 'a', clientAssertionType: 'jwt-spiffe' },
      /`clientAssertionType` is "jwt-spiffe"; expected/,
    ],
  ]
  for (const [options, message] of cases)
    t.throws(
      () =>
        createTokenClient({
          baseUrl: 'https://receipts.example.com',
          issuer: 'https://login.example.com',
          clientId: 'payment',
          ...options,
        } as TokenClientOptions),
      { code: 'TOKEN_CLIENT_INVALID_OPTION', message },
    )
})
