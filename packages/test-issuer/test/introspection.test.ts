import t from 'tap'
import { audience, basic, post, withClient, type Answer } from './token-request.js'

t.test(
  'answers introspection for registered clients, without claims of invalid tokens (RFC 7662)',
  async t => {
    const { issuer } = await withClient()
    t.teardown(() => issuer.close())
    const token = await issuer.token({ audience, scopes: ['a'], subject: 'ada' })
    const ask = (about: string, headers = basic('payment', 's3cret')): Promise<Answer> =>
      post(issuer.introspectionEndpoint, { token: about }, headers)
    t.match(await ask(token), {
      status: 200,
      body: {
        active: true,
        sub: 'ada',
        scope: 'a',
        aud: audience,
        token_type: 'Bearer',
        client_id: 'test-client',
      },
    })
    t.match(await ask(token, basic('payment', 'wrong')), { status: 401 })
    t.match(await post(issuer.introspectionEndpoint, {}, basic('payment', 's3cret')), { status: 400 })
    t.same((await ask('garbage')).body, { active: false })
    t.same((await ask(await issuer.token({ audience, expiresInMs: -1_000 }))).body, { active: false })
    issuer.revoke(token)
    t.same((await ask(token)).body, { active: false })
  },
)
