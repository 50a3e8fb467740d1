import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fastify from 'fastify'
import t from 'tap'
import { supportedAlgorithms, type Algorithm } from '#src/keys/algorithms.js'
import { importPublicKey } from '#src/keys/public-key.js'
import { parseOptions } from '#src/options/options.js'
import type { AcceptsSignature, LoadSecond } from '#src/signature/second-implementation.js'
import { createThreadPool } from '#src/signature/thread-pool.js'
import { createSignatureVerifier, type SignedToken } from '#src/signature/verify-signature.js'
import { createCachedVerifier } from '#src/verifier.js'
import { makeKey, signRaw, type SigningKey } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

const signedBy = (key: SigningKey, text = 'one'): SignedToken => {
  const raw = signRaw({ alg: key.algorithm }, { text }, key)
  const end = raw.lastIndexOf('.')
  return { raw, signed: raw.slice(0, end), signature: Buffer.from(raw.slice(end + 1), 'base64url') }
}

function verifierWith(accepts: AcceptsSignature, load: LoadSecond = async () => accepts) {
  const disputed: string[] = []
  const verify = createSignatureVerifier({
    threadPool: createThreadPool(false),
    loadSecond: load,
    onDisputed: ({ kid }, algorithm) => disputed.push(`${kid} ${algorithm}`),
  })
  return { verify, disputed }
}

const keyOf = (key: SigningKey) => importPublicKey(key.jwk, supportedAlgorithms)

t.test('checks the first signature of each key and algorithm with both implementations', async t => {
  const asked: string[] = []
  const { verify, disputed } = verifierWith((_, { kid }, algorithm) => asked.push(`${kid} ${algorithm}`) > 0)
  const [first, second] = [makeKey('first'), makeKey('second')]
  for (const own of [first, second]) {
    const key = keyOf(own)
    t.ok(verify(signedBy(own), key, 'ES256') instanceof Promise, 'the first one waits')
    t.equal(await verify(signedBy(own), key, 'ES256'), undefined)
    t.equal(verify(signedBy(own, 'two'), key, 'ES256'), undefined, 'later ones do not')
  }
  t.strictSame(asked, ['first ES256', 'second ES256'])
  t.strictSame(disputed, [])

  const rsa = makeKey('rsa', 'RS256')
  const both = importPublicKey({ ...rsa.jwk, alg: undefined } as never, supportedAlgorithms)
  t.equal(await verify(signedBy(rsa), both, 'RS256'), undefined)
  t.ok(verify(signedBy({ ...rsa, algorithm: 'PS256' }), both, 'PS256') instanceof Promise)
})

t.test('refuses a signature that only node:crypto accepts, and does not confirm its key', async t => {
  const answers = [false, false, true]
  const { verify, disputed } = verifierWith(() => answers.shift() ?? false)
  const own = makeKey('first')
  const key = keyOf(own)
  for (const time of ['first', 'second'])
    t.match(await verify(signedBy(own), key, 'ES256'), { reason: 'signature', detail: /@fastify\/jwt/ }, time)
  t.strictSame(disputed, ['first ES256', 'first ES256'])
  t.equal(await verify(signedBy(own), key, 'ES256'), undefined, 'both accept the third')
  t.equal(verify(signedBy(own), key, 'ES256'), undefined)
})

t.test('does not ask the second implementation about signatures that node:crypto rejects', async t => {
  let loads = 0
  const { verify } = verifierWith(
    () => true,
    async () => {
      loads += 1
      return () => true
    },
  )
  const own = makeKey('first')
  t.match(verify(signedBy(makeKey('first')), keyOf(own), 'ES256'), { reason: 'signature' })
  t.equal(loads, 0)
})

t.test('throws if the second implementation cannot be loaded, and retries with the next token', async t => {
  let fails = true
  const { verify, disputed } = verifierWith(
    () => true,
    async () => {
      if (fails) throw new Error("Cannot find module '@fastify/jwt'")
      return () => true
    },
  )
  const own = makeKey('first')
  const key = keyOf(own)
  await t.rejects(Promise.resolve(verify(signedBy(own), key, 'ES256')), /Cannot find module/)
  t.strictSame(disputed, [], 'the key is not blamed')
  fails = false
  t.equal(await verify(signedBy(own), key, 'ES256'), undefined)
})

t.test('logs and publishes a dispute as an error', async t => {
  const own = makeKey('first')
  const logged: object[] = []
  const events: unknown[] = []
  const listener = (event: unknown): void => void events.push(event)
  subscribe('fastify-resource-server:signature-disputed', listener)
  t.teardown(() => unsubscribe('fastify-resource-server:signature-disputed', listener))
  const app = fastify({
    logger: { level: 'error', stream: { write: line => logged.push(JSON.parse(line)) } },
  })
  t.teardown(() => app.close())
  const bench = await startBench(t, {}, own)
  const options = {
    issuer: bench.issuer.url,
    audience: 'https://api.example.com',
    clock: () => bench.clock.now,
  }
  const verifier = await createCachedVerifier(
    parseOptions({ ...options, keys: [own.jwk] }),
    app.log,
    async () => () => false,
  )
  const accessToken = bench.token()
  const expected = { issuer: bench.issuer.url, kid: 'first' }
  const outcome = await verifier.verify({ accessToken, header: `Bearer ${accessToken}` })
  t.match(outcome, { reason: 'signature', ...expected })
  t.equal(verifier.remembered(`Bearer ${accessToken}`), undefined, 'nothing is remembered')
  t.match(logged, [{ level: 50, ...expected, algorithm: 'ES256' }])
  t.match(events, [{ ...expected, algorithm: 'ES256' }])
})

t.test('treats EdDSA and Ed25519 as the same algorithm (RFC 9864)', async t => {
  const own = makeKey('first', 'EdDSA')
  const names: readonly Algorithm[] = ['EdDSA', 'Ed25519']
  for (const alg of [...names, undefined])
    for (const algorithms of [undefined, ['EdDSA'], ['Ed25519']] as const) {
      const jwk = { ...own.jwk, ...(alg === undefined ? {} : { alg }) }
      const bench = await startBench(
        t,
        { keys: [jwk], ...(algorithms === undefined ? {} : { algorithms }) },
        own,
      )
      for (const name of names) {
        const token = bench.token({ jti: name }, { alg: name })
        t.equal(
          (await bench.call(token)).statusCode,
          200,
          `${name} with a key for ${alg}, ${String(algorithms)}`,
        )
      }
    }
  const bench = await startBench(t)
  const token = bench.token({}, { alg: 'Ed25519' })
  t.equal((await bench.call(token)).statusCode, 401, 'a key for ES256')
  t.equal(bench.lastReason(), 'unknown_key')
})
