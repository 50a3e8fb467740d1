import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { Agent, request, type Dispatcher } from 'undici'
import {
  connectToIssuer,
  dispatchersByIdentity,
  reloadIdentity,
  type DispatchersByIdentity,
  type TlsIdentity,
} from 'oauth-issuer-connection'
import { makeCertificate, type CertificateWithKey as Pair } from 'test-support/certificate'
import { listen } from 'test-support/listen'

const [first, second] = await Promise.all([makeCertificate('localhost'), makeCertificate('localhost')])

/** A server over TLS that answers with the number of its connection; `/slow` when it is released. */
async function startServer(t: Test) {
  const tls = await makeCertificate('localhost')
  const sockets = new Map<TLSSocket, string>()
  const held: (() => void)[] = []
  let isReleased = false
  const server = createServer(
    { ...tls, requestCert: true, rejectUnauthorized: false },
    (incoming, response) => {
      const serial = sockets.get(incoming.socket as TLSSocket) ?? ''
      if (incoming.url === '/slow' && !isReleased) held.push(() => response.end(serial))
      else response.end(serial)
    },
  )
  server.on('secureConnection', socket => {
    sockets.set(socket, String(socket.getPeerX509Certificate()?.fingerprint256))
    socket.on('close', () => sockets.delete(socket))
  })
  const url = await listen(t, server, 'https://localhost')
  function release(): void {
    isReleased = true
    for (const answer of held.splice(0)) answer()
  }
  return { url, ca: tls.cert, open: () => sockets.size, release }
}

function identityOf(ca: string, { cert, key }: Pair, version: number): TlsIdentity {
  return { tls: { ca, cert, key }, version, expiresAt: Infinity }
}

function dispatchers(t: Test): DispatchersByIdentity {
  const made = dispatchersByIdentity(tls => new Agent({ connect: { ...tls } }))
  t.teardown(() => made.destroy())
  return made
}

async function get(url: string, dispatcher: ReturnType<DispatchersByIdentity['for']>): Promise<string> {
  return (await request(url, { dispatcher })).body.text()
}

/** Waits until something holds, for a second at most. */
async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 1_000
  while (!holds() && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 5))
}

t.test('a newer identity opens new connections, and earlier ones close after their requests', async t => {
  const server = await startServer(t)
  const by = dispatchers(t)
  const [old, current] = [identityOf(server.ca, first, 1), identityOf(server.ca, second, 2)]
  const before = await get(server.url, by.for(old))
  const slow = get(`${server.url}/slow`, by.for(old))
  await until(() => server.open() > 0)
  const after = await get(server.url, by.for(current))
  t.not(before, after)
  t.equal(by.for(current), by.for(current))
  server.release()
  t.equal(await slow, before)
  await until(() => server.open() === 1)
  t.equal(server.open(), 1)
})

t.test('an older identity still works over its own connections', async t => {
  const server = await startServer(t)
  const by = dispatchers(t)
  const [old, current] = [identityOf(server.ca, first, 1), identityOf(server.ca, second, 2)]
  const after = await get(server.url, by.for(current))
  const before = await get(server.url, by.for(old))
  t.not(before, after)
  t.equal(await get(server.url, by.for(current)), after)
  await get(server.url, by.for(identityOf(server.ca, second, 3)))
  await until(() => server.open() === 1)
  t.equal(server.open(), 1, 'a newer identity closes all others')
})

t.test('close waits for the requests of all identities; destroy aborts those of the newest one', async t => {
  for (const how of ['close', 'destroy'] as const) {
    const server = await startServer(t)
    const by = dispatchers(t)
    const running = [1, 2].map(version =>
      get(`${server.url}/slow`, by.for(identityOf(server.ca, first, version))).catch(
        (error: Error & { code?: string }) => error.code,
      ),
    )
    await until(() => server.open() >= 2)
    if (how === 'close') setTimeout(server.release, 10)
    await by[how]()
    server.release()
    const [earlier, newest] = await Promise.all(running)
    t.match(earlier, /^[\dA-F:]+$/)
    t.match(newest, how === 'close' ? /^[\dA-F:]+$/ : /^UND_ERR_DESTROYED$/)
    await t.rejects(get(server.url, by.for(identityOf(server.ca, first, 3))), { code: 'UND_ERR_CLOSED' })
  }
})

t.test('a dispatcher that fails to close does not affect requests with a newer identity', async t => {
  const failing = { close: () => Promise.reject(new Error('cannot close')) } as Dispatcher
  const working = new Agent()
  const by = dispatchersByIdentity(({ cert }) => (cert === first.cert ? failing : working))
  by.for(identityOf('', first, 1))
  t.equal(by.for(identityOf('', second, 2)), working)
  await new Promise(resolve => setImmediate(resolve)) // an unhandled rejection would fail this test
  await by.close()
  by.for(identityOf('', first, 3))
  await t.rejects(by.close(), { message: 'cannot close' })
})

t.test('the identity is the same object until the certificate or key changes', async t => {
  let now: Pair = first
  const read = reloadIdentity({ ca: 'ca', certificate: () => now.cert, privateKey: async () => now.key })
  const before = await read()
  t.equal(await read(), before)
  t.strictSame(before.tls, { ca: 'ca', ...first })
  now = second
  const after = await read()
  t.strictSame(after.tls, { ca: 'ca', ...second })
  t.ok(after.version > before.version)
  t.ok(after.expiresAt > Date.now())
  t.equal(await read(), after)
  t.notMatch(`${inspect(after, { depth: 5 })}${JSON.stringify(after)}`, 'PRIVATE KEY')
})

t.test('a slow earlier read does not restore the old certificate', async t => {
  const waiting: (() => void)[] = []
  let now: Pair = first
  const read = reloadIdentity({
    certificate: async () => {
      const { cert } = now
      await new Promise<void>(resolve => waiting.push(resolve))
      return cert
    },
    privateKey: () => now.key,
  })
  const early = read()
  now = second
  const late = read()
  waiting[1]?.()
  const after = await late
  waiting[0]?.()
  t.equal(await early, after)
  t.equal(after.tls.cert, second.cert)
})

t.test('a mismatched pair is read once more, and then refused', async t => {
  let reads = 0
  const replaced = reloadIdentity({
    certificate() {
      reads += 1
      return reads === 1 ? first.cert : second.cert
    },
    privateKey: second.key,
  })
  t.equal((await replaced()).tls.cert, second.cert)
  t.equal(reads, 2)

  const unusable: [unknown, unknown, RegExp][] = [
    [first.cert, second.key, /does not match the private key/],
    [first.cert, 'half of a file', /the client certificate cannot be used/],
    ['', first.key, /the client certificate cannot be used/],
    [first.cert.slice(0, 200), first.key, /the client certificate cannot be used/],
    [undefined, first.key, /text in PEM format/],
    [first.cert, { kty: 'EC' }, /text in PEM format/],
  ]
  for (const [certificate, privateKey, message] of unusable) {
    let tries = 0
    const read = reloadIdentity({
      certificate() {
        tries += 1
        return certificate as string
      },
      privateKey: () => privateKey as string,
    })
    await t.rejects(read(), { name: 'TypeError', message })
    t.equal(tries, 2)
  }
})

t.test('the exception of a function is passed on, and the function is not called again', async t => {
  let calls = 0
  const read = reloadIdentity({
    certificate() {
      calls += 1
      throw new Error('the vault is sealed')
    },
    privateKey: first.key,
  })
  await t.rejects(read(), { message: 'the vault is sealed' })
  t.equal(calls, 1)
})

t.test('a connection presents the current certificate in each exchange', async t => {
  const server = await startServer(t)
  let now: Pair = first
  const connection = connectToIssuer({
    timeoutMs: 500,
    tls: reloadIdentity({ ca: server.ca, certificate: () => now.cert, privateKey: () => now.key }),
  })
  t.teardown(() => connection.close())
  const exchange = connection.exchange()
  const before = (await exchange.request(server.url)).text
  now = second
  t.equal((await exchange.request(server.url)).text, before, 'one exchange, one certificate')
  const next = connection.exchange()
  t.not((await next.request(server.url)).text, before)
  t.equal((await next.identity()).tls.cert, second.cert)
  now = { ...second, key: first.key }
  await t.rejects(connection.exchange().request(server.url), {
    name: 'IssuerConnectionError',
    message: /does not match the private key/,
  })
})

t.test('a certificate function that never settles ends the exchange at the time limit', async t => {
  const connection = connectToIssuer({
    timeoutMs: 20,
    tls: reloadIdentity({ certificate: () => new Promise<string>(() => {}), privateKey: first.key }),
  })
  t.teardown(() => connection.close())
  const alive = setInterval(() => {}, 1_000) // nothing else would keep the process alive
  t.teardown(() => clearInterval(alive))
  await t.rejects(connection.exchange().request('https://localhost:1'), {
    message: /no response within 20 ms/,
  })
})
