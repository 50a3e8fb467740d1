import { sign } from 'node:crypto'
import t from 'tap'
import { supportedAlgorithms, type Algorithm } from '#src/keys/algorithms.js'
import { importPublicKey, type Jwk, type PublicKey } from '#src/keys/public-key.js'
import { verifyHere, verifyInPool, type Jws } from '#src/signature/node-signature.js'
import { loadFastifyJwt } from '#src/signature/second-implementation.js'
import { makeKey, signRaw } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

const jwsOf = (raw: string): Jws => ({
  signed: raw.slice(0, raw.lastIndexOf('.')),
  signature: Buffer.from(raw.slice(raw.lastIndexOf('.') + 1), 'base64url'),
})

const acceptsByFastifyJwt = await loadFastifyJwt()

/** Whether a signature is accepted: in place, in the thread pool, and by @fastify/jwt. */
const verdicts = async (jws: string, key: PublicKey, algorithm: Algorithm): Promise<boolean[]> => [
  verifyHere(jwsOf(jws), key.keyObject, algorithm),
  await verifyInPool(jwsOf(jws), key.keyObject, algorithm),
  acceptsByFastifyJwt(jws, key, algorithm),
]

/** Published examples: the algorithm, the key, and a compact JWS that it signed. */
const vectors: Record<string, { algorithm: Algorithm; jwk: Jwk; jws: string }> = {
  'RFC 7515 A.2': {
    algorithm: 'RS256',
    jwk: {
      kty: 'RSA',
      e: 'AQAB',
      n: 'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
    },
    jws: 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
  },
  'RFC 7515 A.3': {
    algorithm: 'ES256',
    jwk: {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    jws: 'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
  },
}

for (const [name, { algorithm, jwk, jws }] of Object.entries(vectors)) {
  t.test(name, async t => {
    const key = importPublicKey(jwk, supportedAlgorithms)
    t.strictSame(await verdicts(jws, key, algorithm), [true, true, true])
    const [header = '', payload = '', signature = ''] = jws.split('.')
    for (const index of [0, 10, signature.length - 2]) {
      const other = signature[index] === 'A' ? 'B' : 'A'
      const tampered = signature.slice(0, index) + other + signature.slice(index + 1)
      t.strictSame(await verdicts(`${header}.${payload}.${tampered}`, key, algorithm), [false, false, false])
    }
  })
}

const payload7520 =
  'SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4'
const key7520: Jwk = {
  kty: 'RSA',
  kid: 'bilbo.baggins@hobbiton.example',
  use: 'sig',
  e: 'AQAB',
  n: 'n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw',
}

/** Published examples whose payload is a text: the signature is right, and it is no set of claims. */
const texts: Record<string, { algorithm: Algorithm; jwk: Jwk; jws: string }> = {
  'RFC 7515 A.4': {
    algorithm: 'ES512',
    jwk: {
      kty: 'EC',
      crv: 'P-521',
      x: 'AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk',
      y: 'ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2',
    },
    jws: 'eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn',
  },
  'RFC 7520 4.1': {
    algorithm: 'RS256',
    jwk: key7520,
    jws: `eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${payload7520}.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg`,
  },
  'RFC 7520 4.2': {
    algorithm: 'PS384',
    jwk: key7520,
    jws: `eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${payload7520}.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw`,
  },
  'RFC 7520 4.3': {
    algorithm: 'ES512',
    jwk: {
      kty: 'EC',
      kid: 'bilbo.baggins@hobbiton.example',
      use: 'sig',
      crv: 'P-521',
      x: 'AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt',
      y: 'AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1',
    },
    jws: `eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.${payload7520}.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2`,
  },
  'RFC 8037 A.4': {
    algorithm: 'EdDSA',
    jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    jws: 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  },
}

for (const [name, { algorithm, jwk, jws }] of Object.entries(texts)) {
  t.test(
    `${name}: verifies the signature, and refuses the token because it is not an access token`,
    async t => {
      const key = importPublicKey(jwk, supportedAlgorithms)
      t.strictSame(await verdicts(jws, key, algorithm), [true, true, false], '@fastify/jwt wants JSON')
      const [header = '', payload = '', signature = ''] = jws.split('.')
      for (const tampered of [
        `${header}.${payload}.${signature.replace(/^./, first => (first === 'A' ? 'B' : 'A'))}`,
        `${header}.${payload.replace(/^./, 'V')}.${signature}`,
        `${header.replace(/.$/, '8')}.${payload}.${signature}`,
      ])
        t.strictSame(await verdicts(tampered, key, algorithm), [false, false, false])
    },
  )
}

t.test('RFC 7515 A.1 and A.5: refuses an HMAC and an unsigned token', async t => {
  const secret: Jwk = {
    kty: 'oct',
    k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  }
  t.throws(() => importPublicKey(secret, supportedAlgorithms), /kty/)
  const bench = await startBench(t)
  bench.issuer.keys.push(secret)
  const claims =
    'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
  const hmac = `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`
  t.equal((await bench.call(hmac)).statusCode, 401)
  t.equal(bench.lastReason(), 'algorithm')
  t.equal((await bench.call(`eyJhbGciOiJub25lIn0.${claims}.`)).statusCode, 401)
  t.equal(bench.lastReason(), 'malformed')
})

t.test('verifies every algorithm with its own keys', async t => {
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const) {
    const own = makeKey('own', algorithm)
    const key = importPublicKey(own.jwk, supportedAlgorithms)
    const token = signRaw({ alg: algorithm }, { fine: true }, own)
    t.strictSame(await verdicts(token, key, algorithm), [true, true, true], algorithm)
    t.strictSame(await verdicts(token.slice(0, -8), key, algorithm), [false, false, false], algorithm)
  }
})

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

/** A self-signed certificate: just enough DER (RFC 5280 §4.1) around the key. */
function selfSigned({ publicKey, privateKey }: ReturnType<typeof makeKey>): string {
  const algorithm = Buffer.from('300d06092a864886f70d01010b0500', 'hex')
  const name = der(
    0x30,
    der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('issuer')))),
  )
  const validity = der(0x30, der(0x17, Buffer.from('250101000000Z')), der(0x17, Buffer.from('450101000000Z')))
  const body = der(
    0x30,
    Buffer.from('a003020102', 'hex'),
    Buffer.from('020101', 'hex'),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  return der(0x30, body, algorithm, der(0x03, Buffer.from([0]), sign('sha256', body, privateKey))).toString(
    'base64',
  )
}

t.test('verifies with a key that is listed only as a certificate', async t => {
  const own = makeKey('own', 'RS256')
  const key = importPublicKey(
    { kty: 'RSA', kid: 'own', use: 'sig', x5c: [selfSigned(own)] },
    supportedAlgorithms,
  )
  const token = signRaw({ alg: 'RS256' }, { fine: true }, own)
  t.strictSame(await verdicts(token, key, 'RS256'), [true, true, true])
  t.throws(() => importPublicKey({ kty: 'RSA', x5c: ['AAAA'] }, supportedAlgorithms))
  t.throws(() => importPublicKey({ kty: 'RSA' }, supportedAlgorithms), /has neither .* nor x5c/)
})
