import { decodeJwt } from 'jose'
import t from 'tap'
import { createTestIssuer } from 'oauth-test-issuer'
import { audience, basic, other, post, withClient, type Answer } from './token-request.js'

t.test('token exchange: accepts tokens for the client and keeps the chain of actors (RFC 8693)', async t => {
  const grants = ['client_credentials', 'token_exchange'] as const
  const { issuer, ask } = await withClient({ grants, ownAudience: other })
  t.teardown(() => issuer.close())
  const accessToken = 'urn:ietf:params:oauth:token-type:access_token'
  const form = (subject: string, more: Record<string, string> = {}): Record<string, string> => ({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subject,
    subject_token_type: accessToken,
    ...more,
  })
  const users = await issuer.token({ audience: other, subject: 'ada', claims: { act: { sub: 'gateway' } } })
  const { status, body } = await ask(form(users, { scope: 'a' }))
  t.equal(status, 200)
  t.equal(body['issued_token_type'], accessToken)
  t.match(decodeJwt(String(body['access_token'])), {
    sub: 'ada',
    client_id: 'payment',
    aud: audience,
    scope: 'a',
  })

  const actor = await issuer.token({ audience: other, clientId: 'payment' })
  const acted = await ask(form(users, { actor_token: actor, actor_token_type: accessToken }))
  t.same(decodeJwt(String(acted.body['access_token']))['act'], { sub: 'payment', act: { sub: 'gateway' } })

  const [header, payload] = users.split('.')
  for (const [what, given, error] of [
    ['meant for another API', form(await issuer.token({ audience, subject: 'ada' })), 'invalid_grant'],
    ['expired', form(await issuer.token({ audience: other, expiresInMs: -60_000 })), 'invalid_request'],
    ['changed', form(`${header}.${payload}.AAAA`), 'invalid_request'],
    ['of an unknown type', { ...form(users), subject_token_type: 'x' }, 'invalid_request'],
    ['for an unknown type', form(users, { requested_token_type: 'x' }), 'invalid_request'],
  ] as const)
    t.match(await ask(given), { status: 400, body: { error } }, what)
  issuer.revoke(users)
  t.match(await ask(form(users)), { status: 400, body: { error: 'invalid_request' } }, 'revoked')
})

t.test("JWT bearer, Entra ID's on-behalf-of: the user stays the same (RFC 7523 §2.1)", async t => {
  await using issuer = await createTestIssuer({ profile: 'entra', algorithm: 'ES256' })
  issuer.registerClient({
    clientId: 'payment',
    clientSecret: 's3cret',
    audience,
    scopes: ['a'],
    grants: ['jwt_bearer'],
    ownAudience: other,
  })
  const ask = (assertion: string): Promise<Answer> =>
    post(
      issuer.tokenEndpoint,
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion,
        requested_token_use: 'on_behalf_of',
      },
      basic('payment', 's3cret'),
    )
  const incoming = await issuer.token({ audience: other, subject: 'ada' })
  const { body } = await ask(incoming)
  const { oid, scp } = decodeJwt(String(body['access_token']))
  t.equal(oid, decodeJwt(incoming)['oid'])
  t.equal(scp, 'a')
  t.match(await ask('x.y.z'), { status: 400, body: { error: 'invalid_grant' } })
})
