import { sign } from 'node:crypto'
import t from 'tap'
import { importPublicKey, supportedAlgorithms, type Algorithm, type Jwk } from '#src/verify/public-key.js'
import { makeKey, signRaw } from './hand-made-issuer.js'

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
    t.strictSame(key.verify(jws, algorithm), {
      iss: 'joe',
      exp: 1_300_819_380,
      'http://example.com/is_root': true,
    })
    await t.resolves(key.verifyInPool(jws, algorithm), 'in the thread pool too')
    const [header = '', payload = '', signature = ''] = jws.split('.')
    for (const index of [0, 10, signature.length - 2]) {
      const other = signature[index] === 'A' ? 'B' : 'A'
      const tampered = signature.slice(0, index) + other + signature.slice(index + 1)
      t.throws(() => key.verify(`${header}.${payload}.${tampered}`, algorithm), {
        reason: 'signature',
      } as unknown as Error)
      await t.rejects(key.verifyInPool(`${header}.${payload}.${tampered}`, algorithm), {
        reason: 'signature',
      } as unknown as Error)
    }
  })
}

t.test('RFC 8037 A.4: a signed text that is no set of claims is never accepted', async t => {
  const key = importPublicKey(
    { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    supportedAlgorithms,
  )
  const jws =
    'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'
  t.throws(() => key.verify(jws, 'EdDSA'), { reason: 'malformed' } as unknown as Error)
})

t.test('every algorithm, by keys of our own', async t => {
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const) {
    const own = makeKey('own', algorithm)
    const key = importPublicKey(own.jwk, supportedAlgorithms)
    const token = signRaw({ alg: algorithm }, { fine: true }, own)
    t.match(key.verify(token, algorithm), { fine: true }, algorithm)
    await t.resolves(key.verifyInPool(token, algorithm), `${algorithm} in the thread pool`)
    const cut = token.slice(0, -8)
    t.throws(() => key.verify(cut, algorithm), { reason: 'signature' } as unknown as Error)
    await t.rejects(key.verifyInPool(cut, algorithm), { reason: 'signature' } as unknown as Error)
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

t.test('a key that is listed as a certificate only', async t => {
  const own = makeKey('own', 'RS256')
  const key = importPublicKey(
    { kty: 'RSA', kid: 'own', use: 'sig', x5c: [selfSigned(own)] },
    supportedAlgorithms,
  )
  t.match(key.verify(signRaw({ alg: 'RS256' }, { fine: true }, own), 'RS256'), { fine: true })
  t.throws(() => importPublicKey({ kty: 'RSA', x5c: ['AAAA'] }, supportedAlgorithms))
  t.throws(() => importPublicKey({ kty: 'RSA' }, supportedAlgorithms), /lacks one of/)
})
