import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, exportJWK, jwtVerify, SignJWT } from 'jose'
import t from 'tap'
import { createTestIssuer, type SigningAlgorithm } from 'oauth-test-issuer'
import { audience, basic, grant, post } from './token-request.js'

for (const algorithm of ['ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256'] as const)
  t.test(`every profile signs with ${algorithm} and publishes the key with that name`, async t => {
    await using issuer = await createTestIssuer({ profile: 'keycloak', audience, algorithm })
    t.equal(issuer.jwks.keys[0]?.['alg'], algorithm)
    const { protectedHeader } = await jwtVerify(await issuer.token(), createLocalJWKSet(issuer.jwks as never))
    t.equal(protectedHeader.alg, algorithm)
    t.equal(issuer.metadata['id_token_signing_alg_values_supported']?.toString(), algorithm)
  })

const names = ['EdDSA', 'Ed25519'] as const
const pairs = names.flatMap(published => names.map(used => [published, used] as const))

for (const [published, used] of pairs) {
  t.test(`accepts own tokens with ${used} in the header and a key published as ${published}`, async t => {
    await using issuer = await createTestIssuer({ audience, algorithm: published })
    issuer.registerClient({ clientId: 'payment', clientSecret: 's3cret', audience })
    const token = await issuer.token({ header: { alg: used } })
    t.equal(decodeProtectedHeader(token).alg, used)
    const answer = await post(issuer.introspectionEndpoint, { token }, basic('payment', 's3cret'))
    t.equal(answer.body['active'], true)
  })

  t.test(
    `accepts client assertions and DPoP proofs with ${used} and a key registered as ${published}`,
    async t => {
      const { publicKey, privateKey } = generateKeyPairSync('ed25519')
      const jwk = { ...(await exportJWK(publicKey)), alg: published }
      await using issuer = await createTestIssuer({
        clients: [{ clientId: 'payment', audience, jwks: { keys: [jwk] } }],
      })
      const sign = async (header: object, claims: object): Promise<string> =>
        new SignJWT({ jti: randomUUID(), ...claims })
          .setProtectedHeader({ alg: used, ...header })
          .setIssuedAt()
          .setExpirationTime('1m')
          .sign(privateKey)
      const form = {
        ...grant,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await sign({}, { iss: 'payment', sub: 'payment', aud: issuer.url }),
      }
      const dpop = await sign({ typ: 'dpop+jwt', jwk }, { htm: 'POST', htu: issuer.tokenEndpoint })
      const { status, body } = await post(issuer.tokenEndpoint, form, { dpop })
      t.equal(status, 200)
      t.equal(body['token_type'], 'DPoP')
    },
  )
}

for (const algorithm of ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const)
  t.test(`${algorithm} needs Node 24.7 or later, and the error says so (RFC 9964)`, async t => {
    const issuer = await createTestIssuer({ profile: 'entra', audience, algorithm }).catch(
      (error: unknown) => error as Error,
    )
    if (issuer instanceof Error) {
      t.match(issuer, {
        name: 'TypeError',
        message: new RegExp(`${algorithm} keys need Node 24.7 or later; this is`),
      })
      t.notOk(supportsMlDsa(), 'on this Node')
      return
    }
    t.teardown(() => issuer.close())
    t.ok(supportsMlDsa(), 'on this Node')
    t.match(issuer.jwks.keys[0], { kty: 'AKP', alg: algorithm, pub: String }, 'alg is required for AKP keys')
    await jwtVerify(await issuer.token(), createLocalJWKSet(issuer.jwks as never), {
      algorithms: [algorithm],
    })
    t.equal((await issuer.badTokens({ scopes: ['a'] })).length, 22)
  })

/** Generates a key to find out, because builds of Node.js differ. */
function supportsMlDsa(): boolean {
  try {
    generateKeyPairSync('ml-dsa-44' as 'ed25519') // the types of Node 20 do not list it
    return true
  } catch {
    return false
  }
}

t.test('rejects symmetric algorithms and none', async t => {
  for (const algorithm of ['none', 'HS256', 'Ed448', 'toString'])
    await t.rejects(createTestIssuer({ algorithm: algorithm as SigningAlgorithm }), {
      name: 'TypeError',
      message: /option `algorithm` is/,
    })
})
