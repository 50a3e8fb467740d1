import { randomBytes } from 'node:crypto'
import t from 'tap'
import { origin, startDpop } from './dpop-bench.js'
import { base64url, signHmac, signRaw } from './hand-made-issuer.js'
import { hashOf, makeProof, makeProofKey, type ProofKey } from './hand-made-proof.js'

t.test('accepts proofs with every kind of key', async t => {
  for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256'] as const) {
    const bench = await startDpop(t, { origin }, makeProofKey(algorithm))
    t.equal((await bench.prove()).statusCode, 200, algorithm)
  }
})

t.test('refuses every invalid proof, and never with a 5xx', async t => {
  const bench = await startDpop(t)
  const token = bench.bound()
  const other = makeProofKey()
  const { client, clock } = bench
  const seconds = Math.floor(clock.now / 1000)
  const right = (changes: Record<string, unknown> = {}): Record<string, unknown> =>
    bench.proofClaims(token, changes)
  const signed = makeProof(client, right())
  const [head = '', body = '', signature = ''] = signed.split('.')
  const wrong: Record<string, string> = {
    'no JWT': 'proof',
    empty: '',
    'two segments': `${head}.${body}`,
    'not base64url': `${head}.${body}=.${signature}`,
    'no typ': makeProof(client, right(), { typ: undefined }),
    'typ of a token': makeProof(client, right(), { typ: 'at+jwt' }),
    'alg none': `${base64url({ typ: 'dpop+jwt', alg: 'none', jwk: client.publicJwk })}.${base64url(right())}.`,
    'alg HS256': signHmac(
      { typ: 'dpop+jwt', alg: 'HS256', jwk: client.publicJwk },
      right(),
      JSON.stringify(client.publicJwk),
    ),
    'alg of another key': makeProof(client, right(), { alg: 'RS256' }),
    'no jwk': makeProof(client, right(), { jwk: undefined }),
    'jwk is a list': makeProof(client, right(), { jwk: [client.publicJwk] }),
    'jwk is empty': makeProof(client, right(), { jwk: {} }),
    'jwk without a kind': makeProof(client, right(), { jwk: { ...client.publicJwk, kty: undefined } }),
    'jwk of a kind that every object has': makeProof(client, right(), { jwk: { kty: 'constructor' } }),
    'jwk of the kind __proto__': makeProof(client, right(), { jwk: { kty: '__proto__' } }),
    'jwk with a member that is no text': makeProof(client, right(), { jwk: { ...client.publicJwk, x: 5 } }),
    'jwk that is nested': makeProof(client, right(), {
      jwk: { ...client.publicJwk, x: JSON.parse('['.repeat(2_500) + ']'.repeat(2_500)) as unknown },
    }),
    'jwk is symmetric': makeProof(client, right(), { jwk: { kty: 'oct', k: 'c2VjcmV0' } }),
    'jwk holds the private key': makeProof(client, right(), {
      jwk: client.privateKey.export({ format: 'jwk' }),
    }),
    crit: makeProof(client, right(), { crit: ['exp'], exp: 1 }),
    'htm of another method': makeProof(client, right({ htm: 'POST' })),
    'htm in lower case': makeProof(client, right({ htm: 'get' })),
    'no htm': makeProof(client, right({ htm: undefined })),
    'htu of another path': makeProof(client, right({ htu: `${origin}/write` })),
    'htu of another host': makeProof(client, right({ htu: 'https://evil.example/read' })),
    'htu of another scheme': makeProof(client, right({ htu: 'http://api.example.com/read' })),
    'htu is no URL': makeProof(client, right({ htu: '/read' })),
    'htu is a list': makeProof(client, right({ htu: [`${origin}/read`] })),
    'no jti': makeProof(client, right({ jti: undefined })),
    'jti is a number': makeProof(client, right({ jti: 7 })),
    'jti without end': makeProof(client, right({ jti: 'a'.repeat(257) })),
    'no iat': makeProof(client, right({ iat: undefined })),
    'iat too early': makeProof(client, right({ iat: seconds - 61 })),
    'iat too late': makeProof(client, right({ iat: seconds + 61 })),
    'iat is text': makeProof(client, right({ iat: String(seconds) })),
    'iat is null': makeProof(client, right({ iat: null })),
    'no ath': makeProof(client, right({ ath: undefined })),
    'ath of another token': makeProof(client, right({ ath: hashOf(`${token}x`) })),
    'nonce is a number': makeProof(client, right({ nonce: 1 })),
    'another signature': signRaw({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.publicJwk }, right(), other),
    'tampered payload': `${head}.${base64url(right({ jti: 'other' }))}.${signature}`,
    'a payload that is no object': makeProof(client, [] as never),
    'far too long': makeProof(client, right({ filler: 'a'.repeat(9_000) })),
  }
  for (const [name, proof] of Object.entries(wrong)) {
    const answer = await bench.prove(proof, token)
    t.equal(answer.statusCode, 401, name)
    t.match(answer.headers['www-authenticate'], /^Bearer, DPoP error="invalid_dpop_proof"/, name)
    t.equal(answer.json<{ code: string }>().code, 'OAUTH_INVALID_DPOP_PROOF', name)
  }
  t.equal(
    (await bench.prove(makeProof(other, right()), token)).json<{ code: string }>().code,
    'OAUTH_INVALID_TOKEN',
    "another client's key: the token is not for it",
  )
  t.equal(bench.lastReason(), 'binding')
  const unsigned = makeProof(client, right(), { jwk: other.publicJwk })
  t.equal((await bench.prove(unsigned, token)).statusCode, 401)
  t.equal(bench.lastReason(), 'binding', 'and nothing was verified with it')
  const without = await bench.send(`DPoP ${token}`)
  t.equal(without.json<{ code: string }>().code, 'OAUTH_INVALID_DPOP_PROOF', 'no proof at all')
  t.equal((await bench.prove([signed, makeProof(client, right())], token)).statusCode, 401, 'two proofs')
  t.equal((await bench.prove(signed, token)).statusCode, 200, 'what was refused spoilt nothing')
})

t.test('refuses a token that is bound to an invalid or oversized key', async t => {
  const rsa = makeProofKey('RS256')
  const ec = makeProofKey()
  const long = randomBytes(2_048)
  long[0] = 0xff
  const keys: [name: string, key: ProofKey, changes: Record<string, unknown>, reason: RegExp][] = [
    ['a point that is not on its curve', ec, { x: 'AAAA' }, /Invalid JWK EC key/],
    ['an exponent as long as the modulus', rsa, { e: rsa.publicJwk['n'] }, /exponent/],
    ['a modulus of 16384 bits', rsa, { n: base64url(long) }, /modulus is longer/],
  ]
  for (const [name, key, changes, reason] of keys) {
    const publicJwk = { ...key.publicJwk, ...changes }
    const client = { ...key, publicJwk, thumbprint: hashOf(JSON.stringify(publicJwk)) }
    const bench = await startDpop(t, { origin }, client)
    t.equal((await bench.prove()).statusCode, 401, name)
    const refusal = bench.logged.findLast(({ msg }) => msg === 'access refused')
    t.match(refusal, { reason: 'proof', detail: reason }, name)
  }
})

t.test('accepts a proof only once', async t => {
  const bench = await startDpop(t)
  const token = bench.bound()
  const claims = bench.proofClaims(token)
  const proof = makeProof(bench.client, claims)
  t.equal((await bench.prove(proof, token)).statusCode, 200)
  t.equal((await bench.prove(proof, token)).json<{ code: string }>().code, 'OAUTH_INVALID_DPOP_PROOF')
  t.equal(
    (await bench.prove(makeProof(bench.client, claims), token)).statusCode,
    401,
    'signed anew, with the same jti',
  )
  for (const later of [30_000, 59_000]) {
    bench.clock.now = (claims['iat'] as number) * 1000 + later
    t.equal((await bench.prove(proof, token)).statusCode, 401, `still, ${later} ms later`)
  }
  const together = makeProof(bench.client, bench.proofClaims(token))
  const answers = await Promise.all([1, 2, 3, 4].map(() => bench.prove(together, token)))
  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1, 'also of four at once')
})
