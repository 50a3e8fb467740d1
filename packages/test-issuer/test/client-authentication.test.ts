import t from 'tap'
import { createTestIssuer } from 'oauth-test-issuer'
import { audience, basic, grant, post, withClient } from './token-request.js'

t.test('accepts a secret in Basic or in the form, but not in both (RFC 6749 §2.3)', async t => {
  const id = 'payment service+1'
  const secret = 'a:b+c%d é'
  await using issuer = await createTestIssuer({ clients: [{ clientId: id, clientSecret: secret, audience }] })
  const inForm = { ...grant, client_id: id, client_secret: secret }
  t.equal((await post(issuer.tokenEndpoint, grant, basic(id, secret))).status, 200)
  t.equal((await post(issuer.tokenEndpoint, inForm)).status, 200)
  t.match(await post(issuer.tokenEndpoint, inForm, basic(id, secret)), {
    status: 400,
    body: { error: 'invalid_request' },
  })
  const asItself = { ...grant, client_id: id }
  t.equal((await post(issuer.tokenEndpoint, asItself, basic(id, secret))).status, 200)
  t.match(await post(issuer.tokenEndpoint, { ...grant, client_id: 'another' }, basic(id, secret)), {
    status: 400,
    body: { error: 'invalid_request', error_description: /client_id parameter differs from/ },
  })
  for (const [what, answer] of [
    ['nothing', await post(issuer.tokenEndpoint, grant)],
    ['a wrong secret', await post(issuer.tokenEndpoint, grant, basic(id, 'other'))],
    ['an unknown client', await post(issuer.tokenEndpoint, grant, basic('nobody', secret))],
    ['not Basic', await post(issuer.tokenEndpoint, grant, { authorization: 'Bearer x' })],
    ['no colon', await post(issuer.tokenEndpoint, grant, { authorization: 'Basic YWJj' })],
    [
      'percent signs alone',
      await post(issuer.tokenEndpoint, grant, { authorization: `Basic ${btoa('%:%')}` }),
    ],
  ] as const) {
    t.match(answer, { status: 401, body: { error: 'invalid_client' } }, what)
    t.match(answer.headers.get('www-authenticate'), /^Basic/, what)
    t.notMatch(JSON.stringify(answer.body), secret, what)
  }
})

/** The form-urlencoding of WHATWG, which URLSearchParams and browsers use. */
const whatwg = (text: string): string => new URLSearchParams({ text }).toString().slice('text='.length)
/** Escapes every byte, which RFC 6749 App. B allows. oauth4webapi escapes almost as many. */
const everyByte = (text: string): string =>
  [...Buffer.from(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
/** RFC 3986: a space is %20 and not a plus sign. */
const component = (text: string): string => encodeURIComponent(text)

for (const [id, secret] of [
  ['payment-service', 's3cret-with_every.mark~*'],
  ['8eaef023-2b34-4da1-9baa-8bc8c9d6a490', 'a+b/c=='],
  ['my client', 'pässwörd 😀:%25'],
  ["o'neill(1)!", 'a%b&c=d'],
] as const)
  t.test(`Basic: decodes ${id}, whichever characters the client escaped`, async t => {
    await using issuer = await createTestIssuer({
      clients: [{ clientId: id, clientSecret: secret, audience }],
    })
    for (const encode of [whatwg, everyByte, component]) {
      const credentials = Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')
      for (const authorization of [`Basic ${credentials}`, `basic  ${credentials}`, `BASIC ${credentials} `])
        t.equal((await post(issuer.tokenEndpoint, grant, { authorization })).status, 200, encode.name)
    }
  })

t.test('Basic: answers malformed credentials with invalid_client and a challenge', async t => {
  await using issuer = await createTestIssuer({ clients: [{ clientId: 'a', clientSecret: 'b', audience }] })
  for (const text of [
    '%:b',
    'a:%',
    '%zz:b',
    'a:%e',
    'a:%ff',
    '%c3:b',
    'a:%C3%28',
    '%u0061:b',
    'a%00:b',
    ':b',
    'a',
    '',
  ])
    for (const authorization of [
      `Basic ${btoa(text)}`,
      `Basic ${text}`,
      `Basic ${btoa(text)}, Basic ${btoa('a:b')}`,
    ]) {
      const answer = await post(issuer.tokenEndpoint, grant, { authorization })
      t.match(answer, { status: 401, body: { error: 'invalid_client' } }, authorization)
      t.match(answer.headers.get('www-authenticate'), /^Basic /)
    }
})

t.test('rejects authentication methods for which the client is not registered', async t => {
  const { issuer } = await withClient({ authentication: 'client_secret_post' })
  t.teardown(() => issuer.close())
  t.match(await post(issuer.tokenEndpoint, grant, basic('payment', 's3cret')), {
    status: 401,
    body: { error: 'invalid_client', error_description: /client_secret_post, not with client_secret_basic/ },
  })
})
