import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { origin, startDpop, type DpopBench } from './dpop-bench.js'
import { makeProof } from './hand-made-proof.js'

t.test('accepts proofs for the public URL', async t => {
  const bench = await startDpop(t)
  const token = bench.bound()
  const withHtu = (htu: string): string => makeProof(bench.client, bench.proofClaims(token, { htu }))
  for (const htu of [
    'https://API.example.com:443/read',
    'https://api.example.com/x/../read',
    'https://api.example.com/%72ead',
    `${origin}/read?page=1#top`,
  ])
    t.equal((await bench.prove(withHtu(htu), token)).statusCode, 200, htu)
  t.equal(
    (await bench.prove(withHtu(`${origin}/read`), token, '/read?page=1')).statusCode,
    200,
    'a query does not count',
  )

  const asRequested = await startDpop(t, 'allow')
  const plain = asRequested.bound()
  const proof = makeProof(
    asRequested.client,
    asRequested.proofClaims(plain, { htu: 'http://localhost:80/read' }),
  )
  t.equal((await asRequested.prove(proof, plain)).statusCode, 200, 'without origin: the Host of the request')
  for (const host of ['api.example.com/any?', 'api.example.com/any#', 'user@api.example.com', '[', 'a b']) {
    const { statusCode, headers } = await asRequested.app.inject({
      url: '/read',
      headers: {
        host,
        authorization: `DPoP ${plain}`,
        dpop: makeProof(
          asRequested.client,
          asRequested.proofClaims(plain, { htu: 'http://api.example.com/any' }),
        ),
      },
    })
    t.equal(statusCode, 401, `${host}: no part of the path comes from there`)
    t.match(headers['www-authenticate'], /invalid_dpop_proof/)
  }
  for (const host of ['api.example.com:port', ':', '[::1']) {
    const { statusCode } = await asRequested.app.inject({
      url: '/read',
      headers: {
        host,
        authorization: `DPoP ${plain}`,
        dpop: makeProof(asRequested.client, asRequested.proofClaims(plain, { htu: 'no URL either' })),
      },
    })
    t.equal(statusCode, 401, `${host}: two that are no URLs are not the same`)
  }
})

t.test('refuses an htu that is not an absolute URL without userinfo', async t => {
  const bench = await startDpop(t)
  const token = bench.bound()
  for (const htu of [
    'https://user@api.example.com/read',
    'https://user:password@api.example.com/read',
    'https://:@api.example.com/read',
    'https://@api.example.com/read',
    'https://evil.example%40@api.example.com/read',
    'https://evil.example/@api.example.com/read',
    'https:api.example.com/read',
    'https:/api.example.com/read',
    'https:///api.example.com/read',
    'https:\\\\api.example.com/read',
    'https://api.example.com\\read',
    ' https://api.example.com/read',
    'https://api.exam\tple.com/read',
    'https://api.example.com/read\n',
  ]) {
    const proof = makeProof(bench.client, bench.proofClaims(token, { htu }))
    t.equal((await bench.prove(proof, token)).statusCode, 401, JSON.stringify(htu))
    t.equal(bench.lastReason(), 'proof')
  }
  const mail = `${origin}/files/user@example.com`
  const proof = makeProof(bench.client, bench.proofClaims(token, { htu: mail }))
  t.equal(
    (await bench.prove(proof, token, '/files/user@example.com')).statusCode,
    200,
    'an @ in the path is none',
  )
})

/** Sends a request's target as it is; `inject` would tidy it up. */
async function listen(bench: DpopBench): Promise<(target: string, htu: string) => Promise<string>> {
  await bench.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = bench.app.server.address() as AddressInfo
  return async (target, htu) => {
    const token = bench.bound()
    const socket = connect(port, '127.0.0.1')
    socket.write(
      [
        `GET ${target} HTTP/1.1`,
        'Host: api.example.com',
        `Authorization: DPoP ${token}`,
        `DPoP: ${makeProof(bench.client, bench.proofClaims(token, { htu }))}`,
        'Connection: close\r\n\r\n',
      ].join('\r\n'),
    )
    return (await text(socket)).slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)
  }
}

t.test('accepts a request target in absolute form (RFC 9112 §3.2.2)', async t => {
  for (const [dpop, from] of [
    ['allow', 'http://api.example.com'],
    [{ origin }, origin],
  ] as const) {
    const ask = await listen(await startDpop(t, dpop))
    t.equal(await ask('/read', `${from}/read`), '200')
    t.equal(await ask('http://api.example.com/read', `${from}/read`), '200')
    t.equal(await ask('HTTP://api.example.com/read?page=1', `${from}/read`), '200')
    t.equal(await ask('http://api.example.com/any', `${from}/read`), '401', 'another path')
    for (const mark of ['?', '#'])
      t.not(
        await ask(`http://api.example.com${mark}/any`, `${from}/`),
        '200',
        'some routers take it for /any',
      )
  }
})

t.test('refuses a path that URL parsers change and the router does not', async t => {
  const bench = await startDpop(t)
  const ask = await listen(bench)
  for (const target of [
    '/files/../read',
    '/files/%2e%2E/read',
    '/files/.%2e',
    '/files/x\\..\\..\\read',
    '/files/./x',
  ]) {
    t.equal(await ask(target, new URL(target, origin).href), '401', `${target} goes to /files/*`)
    t.equal(bench.lastReason(), 'proof')
  }
  for (const target of ['/files/..x', '/files/.well-known', '/files/x?a=/../read', '/files/a//b'])
    t.equal(await ask(target, origin + target), '200', target)
})
