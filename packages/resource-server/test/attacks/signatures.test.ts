import { sign, X509Certificate, type JsonWebKey } from 'node:crypto'
import t from 'tap'
import { makeCertificate } from 'test-support/certificate'
import { base64url, makeKey, signatureOf, signHmac, signRaw } from '../hand-made-issuer.js'
import { startBench } from '../protected-app.js'
import { refuses } from './refuses.js'

t.test('refuses unsigned tokens', async t => {
  const bench = await startBench(t)
  const tokens: Record<string, string> = {}
  for (const alg of ['none', 'None', 'NONE', 'nOnE', ' none', 'none ', '']) {
    const input = `${base64url(bench.header({ alg }))}.${base64url(bench.claims())}`
    tokens[`alg ${JSON.stringify(alg)}, no signature`] = `${input}.`
    tokens[`alg ${JSON.stringify(alg)}, two segments`] = input
    tokens[`alg ${JSON.stringify(alg)}, some signature`] = `${input}.${base64url('signature')}`
    tokens[`alg ${JSON.stringify(alg)}, the right signature`] = signRaw(
      bench.header({ alg }),
      bench.claims(),
      bench.key,
    )
  }
  await refuses(t, bench, tokens)
})

t.test('refuses an HMAC with the public key as its secret', async t => {
  const certificate = new X509Certificate((await makeCertificate('issuer')).cert).raw.toString('base64')
  for (const algorithm of ['RS256', 'ES256'] as const) {
    const bench = await startBench(t, {}, makeKey('first', algorithm))
    bench.issuer.keys = [{ ...bench.key.jwk, x5c: [certificate] } as JsonWebKey]
    const spki = bench.key.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const secrets = {
      'the PEM': spki,
      'the PEM without its last line break': spki.trimEnd(),
      'the DER': bench.key.publicKey.export({ type: 'spki', format: 'der' }),
      'the JWK': JSON.stringify(bench.key.jwk),
      'the bare JWK': JSON.stringify(bench.key.publicKey.export({ format: 'jwk' })),
      'the DER in base64, as x5c has it': bench.key.publicKey
        .export({ type: 'spki', format: 'der' })
        .toString('base64'),
      'a certificate as x5c has it': certificate,
      'the bytes of a certificate': Buffer.from(certificate, 'base64'),
      'the modulus or the coordinate': Buffer.from(bench.key.jwk.n ?? bench.key.jwk.x ?? '', 'base64url'),
      nothing: '',
    }
    await refuses(
      t,
      bench,
      Object.fromEntries(
        Object.entries(secrets).flatMap(([name, secret]) =>
          ['HS256', 'HS512', algorithm].map(alg => [
            `${alg} keyed with ${name}`,
            signHmac(bench.header({ alg }), bench.claims(), secret),
          ]),
        ),
      ),
    )
  }
})

t.test('refuses an algorithm that does not match the key', async t => {
  const rsa = makeKey('rsa', 'RS256')
  const bench = await startBench(t, {}, rsa)
  const ec = makeKey('ec', 'ES256')
  const ec384 = makeKey('ec384', 'ES384')
  bench.issuer.keys = [rsa.jwk, ec.jwk, ec384.jwk]
  t.equal((await bench.call(bench.token({}, {}, ec))).statusCode, 200, 'the other keys are listed')
  const probabilistic = { ...rsa, algorithm: 'PS256' as const }
  await refuses(t, bench, {
    'PS256 signature under a key listed for RS256': bench.token({}, {}, probabilistic),
    'RS256 in the header, PS256 signature': signRaw(bench.header(), bench.claims(), probabilistic),
    'ES256 with the key id of the RSA key': bench.token({}, { kid: 'rsa' }, ec),
    'ES384 with the key id of the P-256 key': bench.token({}, { kid: 'ec' }, ec384),
    'P-384 key says ES256': bench.token({}, { alg: 'ES256' }, ec384),
    'RS512 in the header': bench.token({}, { alg: 'RS512' }),
    'lower case': bench.token({}, { alg: 'rs256' }),
    'alg is a number': bench.token({}, { alg: 256 }),
    'alg is a list': bench.token({}, { alg: ['RS256'] }),
    'alg is absent': bench.token({}, { alg: undefined }),
  })
})

t.test('refuses an algorithm that is not in the option `algorithms`', async t => {
  const bench = await startBench(t, { algorithms: ['RS256'] }, makeKey('first', 'RS256'))
  const ec = makeKey('ec', 'ES256')
  bench.issuer.keys = [bench.key.jwk, ec.jwk]
  t.equal((await bench.call(bench.token({}, {}, ec))).statusCode, 401)
  t.equal(bench.lastReason(), 'algorithm')
  await refuses(t, bench, { ES256: bench.token({}, {}, ec) })
})

t.test('refuses invalid signatures', async t => {
  for (const algorithm of ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'] as const) {
    const bench = await startBench(t, {}, makeKey('first', algorithm))
    const good = bench.token()
    const input = good.slice(0, good.lastIndexOf('.'))
    const signature = signatureOf(input, bench.key)
    const withSignature = (bytes: Buffer): string => `${input}.${bytes.toString('base64url')}`
    const flipped = Buffer.from(signature)
    flipped[3] = (flipped[3] ?? 0) ^ 1
    await refuses(t, bench, {
      [`${algorithm}: r = s = 0`]: withSignature(Buffer.alloc(signature.length)),
      [`${algorithm}: all ones`]: withSignature(Buffer.alloc(signature.length, 0xff)),
      [`${algorithm}: one bit flipped`]: withSignature(flipped),
      [`${algorithm}: truncated`]: withSignature(signature.subarray(0, -1)),
      [`${algorithm}: extended`]: withSignature(Buffer.concat([signature, Buffer.from([0])])),
      [`${algorithm}: one byte`]: withSignature(Buffer.from([0])),
      [`${algorithm}: r = s = 1 as DER`]: withSignature(Buffer.from('3006020101020101', 'hex')),
      [`${algorithm}: zeros in front`]: withSignature(Buffer.concat([Buffer.alloc(2), signature])),
      [`${algorithm}: the first half`]: withSignature(signature.subarray(0, signature.length / 2)),
      [`${algorithm}: twice`]: withSignature(Buffer.concat([signature, signature])),
      [`${algorithm}: of another payload`]: `${good.split('.').slice(0, 1).join('.')}.${base64url(bench.claims({ scope: 'read write' }))}.${base64url(signature)}`,
      [`${algorithm}: of another key`]: signRaw(bench.header(), bench.claims(), makeKey('first', algorithm)),
    })
  }
})

t.test('refuses a valid ECDSA signature in DER encoding', async t => {
  for (const [algorithm, hash] of [
    ['ES256', 'sha256'],
    ['ES384', 'sha384'],
  ] as const) {
    const bench = await startBench(t, {}, makeKey('first', algorithm))
    const input = `${base64url(bench.header())}.${base64url(bench.claims())}`
    const der = sign(hash, Buffer.from(input), { key: bench.key.privateKey, dsaEncoding: 'der' })
    const order =
      algorithm === 'ES256'
        ? 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
        : `${'f'.repeat(48)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`
    await refuses(t, bench, {
      [`${algorithm} as DER`]: `${input}.${base64url(der)}`,
      [`${algorithm}: r = s = the order of the curve`]: `${input}.${base64url(Buffer.from(order + order, 'hex'))}`,
      [`${algorithm}: r = 1, s = 0`]: `${input}.${base64url(Buffer.concat([Buffer.alloc(order.length / 2 - 1), Buffer.from([1]), Buffer.alloc(order.length / 2)]))}`,
    })
  }
})
