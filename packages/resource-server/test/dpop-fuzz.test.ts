import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { origin, startDpop, type DpopBench } from './dpop-bench.js'
import { base64url } from './hand-made-issuer.js'
import { hashOf, makeProof } from './hand-made-proof.js'

/** The same cases in every run. */
const seed = 20_261_129
/** Of the processor, since other tests may keep the machine busy. */
const longestMs = 1_000

function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

const listen = (event: unknown): void => void JSON.stringify(event, ['reason', 'detail', 'statusCode'])

/** Fails if a request is answered with a 5xx other than 503, takes long, or leaves an unhandled rejection. */
function watch(t: Test): (statusCode: number, startedAt: number) => void {
  const rejections: unknown[] = []
  const note = (reason: unknown): void => void rejections.push(reason)
  process.on('unhandledRejection', note)
  const events = ['fastify-resource-server:allow', 'fastify-resource-server:deny']
  for (const name of events) subscribe(name, listen)
  t.teardown(() => {
    process.off('unhandledRejection', note)
    for (const name of events) unsubscribe(name, listen)
  })
  return (statusCode, startedAt) => {
    if (![200, 400, 401, 403, 404, 503].includes(statusCode)) throw new Error(`status ${statusCode}`)
    if (processorMs() - startedAt > longestMs) throw new Error('took too long')
    if (rejections.length > 0) throw new Error('an unhandled rejection', { cause: rejections[0] })
  }
}

/** The first request loads code and keys, which takes longer than any other. */
async function startWarm(...given: Parameters<typeof startDpop>): Promise<DpopBench> {
  const bench = await startDpop(...given)
  await bench.prove()
  return bench
}

const special = [
  '',
  ' ',
  '\t',
  ',',
  '.',
  '..',
  '=',
  '@',
  ':',
  '/',
  '\\',
  '?',
  '#',
  '%',
  '%00',
  '%2f',
  '[',
  ']',
  '::1',
  '[::1]',
  'localhost',
  'api.example.com',
  'user:pw@',
  'xn--',
  'ü',
  '\u0000',
  '\ud800',
  '-1',
  '65536',
  '__proto__',
]
const pieces = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constantFrom(...special), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength })
    .map(list => list.join(''))
/** What a quadratic check would take long for. */
const long = fc
  .tuple(
    fc.constantFrom(...special, 'a', 'a.', '/a', '/../', '[[', '{"a":'),
    fc.integer({ min: 1, max: 16_000 }),
  )
  .map(([piece, times]) => piece.repeat(times).slice(0, 16_000))
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.double(),
  pieces(6),
  pieces(6).map(host => `https://${host}/read`),
  pieces(6).map(host => `https://${host}`),
  fc.constant(undefined),
)
const members = (...names: string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc.dictionary(fc.oneof(fc.constantFrom(...names, '__proto__', 'constructor'), fc.string()), value, {
    maxKeys: 3,
  })
const claimChanges = members('htm', 'htu', 'iat', 'jti', 'ath', 'nonce', 'exp', 'nbf')
const headerChanges = members('typ', 'alg', 'jwk', 'kid', 'crit', 'b64', 'enc')

type MakeHeader = (bench: DpopBench, token: string) => string | string[]

/** The text of a `DPoP` header, from noise to a right proof with one thing wrong. */
const dpopHeader: fc.Arbitrary<MakeHeader> = fc.oneof(
  fc.oneof(pieces(12), fc.string({ unit: 'binary' }), long).map(noise => () => noise),
  fc
    .array(fc.oneof(fc.jsonValue().map(base64url), fc.base64String(), pieces(3)), { maxLength: 5 })
    .map(segments => () => segments.join('.')),
  fc.tuple(claimChanges, headerChanges).map<MakeHeader>(
    ([claims, header]) =>
      ({ client, proofClaims }, token) =>
        makeProof(client, proofClaims(token, claims), header),
  ),
  members('kty', 'crv', 'x', 'y', 'n', 'e', 'd', 'k', 'oth').map<MakeHeader>(
    jwk =>
      ({ client, proofClaims }, token) =>
        makeProof(client, proofClaims(token), { jwk: { ...client.publicJwk, ...jwk } }),
  ),
  fc
    .record({ at: fc.nat(), insert: fc.base64String({ minLength: 1, maxLength: 4 }) })
    .map<MakeHeader>(({ at, insert }) => ({ client, proofClaims }, token) => {
      const proof = makeProof(client, proofClaims(token))
      const index = at % proof.length
      return proof.slice(0, index) + insert + proof.slice(index + 1)
    }),
  fc.constant<MakeHeader>(({ client, proofClaims }, token) => {
    const proof = makeProof(client, proofClaims(token))
    return [proof, proof]
  }),
  fc.constant<MakeHeader>(({ client, proofClaims }, token) => makeProof(client, proofClaims(token))),
)

for (const [name, dpop] of [
  ['with an origin', { origin }],
  ['with nonces', { origin, nonce: true }],
  ['with a store that is down', { origin, replayStore: { add: () => Promise.reject() } }],
] as const)
  t.test(`answers 200, 401 or 503 for random DPoP headers, ${name}`, async t => {
    const check = watch(t)
    const bench = await startWarm(t, dpop)
    const counts = new Map<number, number>()
    await fc.assert(
      fc.asyncProperty(dpopHeader, async make => {
        const token = bench.bound()
        const header = make(bench, token)
        const startedAt = processorMs()
        const { statusCode } = await bench.prove(header as string, token)
        check(statusCode, startedAt)
        counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1)
      }),
      { seed, numRuns: 300 },
    )
    const [least, ...others] =
      name === 'with an origin' ? [200, 401] : name === 'with nonces' ? [401] : [503, 401]
    t.strictSame([...counts.keys()].toSorted(), [least, ...others].toSorted(), JSON.stringify([...counts]))
  })

t.test('accepts a token with a random cnf only with the matching proof', async t => {
  const check = watch(t)
  const bench = await startWarm(t, { origin })
  const cnf = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    members('jkt', 'x5t#S256', 'kid', 'jwk', 'jwe', 'jku'),
    members('kid', 'jwk').map(others => Object.assign(others, { jkt: bench.client.thumbprint })),
    members('jkt').map(others => Object.assign({ jkt: bench.client.thumbprint }, others)),
  )
  let passed = 0
  await fc.assert(
    fc.asyncProperty(cnf, fc.constantFrom('Bearer', 'DPoP'), async (binding, scheme) => {
      const token = bench.bound({ cnf: binding })
      const dpop = makeProof(bench.client, bench.proofClaims(token))
      const startedAt = processorMs()
      const { statusCode } = await bench.app.inject({
        url: '/read',
        headers: { authorization: `${scheme} ${token}`, dpop },
      })
      check(statusCode, startedAt)
      const { jkt } = (binding ?? {}) as { jkt?: unknown }
      const isBoundToCertificate = Object.hasOwn(Object(binding) as object, 'x5t#S256')
      const isRight = scheme === 'DPoP' && jkt === bench.client.thumbprint && !isBoundToCertificate
      if (isRight) passed += 1
      if ((statusCode === 200) !== isRight) throw new Error(`${statusCode} for ${JSON.stringify(binding)}`)
    }),
    { seed, numRuns: 400 },
  )
  t.ok(passed > 50, `${passed} passed`)
})

t.test('accepts a proof only for the URL of the request, with random hosts and URLs', async t => {
  const check = watch(t)
  const bench = await startWarm(t, 'allow')
  const host = fc.oneof(
    pieces(5),
    fc.constantFrom('api.example.com', 'api.example.com:443', 'evil.example'),
    long,
  )
  let passed = 0
  await fc.assert(
    fc.asyncProperty(
      host,
      fc.oneof(host, fc.constant('api.example.com')).map(name => `http://${name}/read`),
      async (name, htu) => {
        const token = bench.bound()
        const dpop = makeProof(bench.client, bench.proofClaims(token, { htu: htu.slice(0, 2_000) }))
        const startedAt = processorMs()
        const { statusCode } = await bench.app.inject({
          url: '/read',
          headers: { host: name, 'x-forwarded-host': name, authorization: `DPoP ${token}`, dpop },
        })
        check(statusCode, startedAt)
        if (statusCode !== 200) return
        passed += 1
        if (!URL.canParse(htu) || new URL(htu).host !== new URL(`http://${name}`).host)
          throw new Error(`${htu} passed for ${JSON.stringify(name)}`)
      },
    ),
    { seed, numRuns: 500 },
  )
  t.ok(passed > 20, `${passed} passed`)
})

t.test('survives malformed bytes on a socket', async t => {
  const check = watch(t)
  const bench = await startWarm(t, 'allow')
  await bench.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = bench.app.server.address() as AddressInfo
  const bytes = fc.oneof(pieces(6), fc.string({ unit: 'binary', maxLength: 30 }), long)
  await fc.assert(
    fc.asyncProperty(bytes, bytes, bytes, async (target, name, proof) => {
      const token = bench.bound()
      const socket = connect(port, '127.0.0.1')
      const startedAt = processorMs()
      socket.on('error', () => {}) // the server may close before everything was sent
      socket.end(
        [
          `GET /files/${target} HTTP/1.1`,
          `Host: ${name}`,
          `Authorization: DPoP ${token}`,
          `DPoP: ${proof}`,
          'Connection: close\r\n\r\n',
        ].join('\r\n'),
        'latin1',
      )
      const answer = await text(socket).catch(() => '')
      // Node closes some connections before the answer has arrived; 431 is its answer to headers that are too long.
      const statusCode = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1] ?? 400)
      check(statusCode === 431 ? 400 : statusCode, startedAt)
    }),
    { seed, numRuns: 200 },
  )
  const token = bench.bound()
  const { statusCode } = await bench.app.inject({
    url: '/read',
    headers: {
      host: 'api.example.com',
      authorization: `DPoP ${token}`,
      dpop: makeProof(
        bench.client,
        bench.proofClaims(token, { htu: 'http://api.example.com/read', ath: hashOf(token) }),
      ),
    },
  })
  t.equal(statusCode, 200, 'and the application still works')
})
