import t from 'tap'
import { startBench } from '../protected-app.js'
import { refuses } from './refuses.js'

t.test('refuses header parameters that require further processing', async t => {
  const bench = await startBench(t)
  await refuses(t, bench, {
    crit: bench.token({}, { crit: ['exp'], exp: 1 }),
    'crit, empty': bench.token({}, { crit: [] }),
    'crit, null': bench.token({}, { crit: null }),
    'b64 false': bench.token({}, { b64: false, crit: ['b64'] }),
    'b64 false without crit': bench.token({}, { b64: false }),
    zip: bench.token({}, { zip: 'DEF' }),
    'nested JWT': bench.token({}, { cty: 'JWT' }),
    JWE: bench.token({}, { alg: 'RSA-OAEP', enc: 'A128GCM' }),
    'JWE in five segments': `${bench.token()}.aaaa.aaaa`,
  })
})

t.test('refuses tokens that are not access tokens', async t => {
  const bench = await startBench(t)
  await refuses(t, bench, {
    'ID token': bench.token({ nonce: 'n' }, { typ: 'JWT' }),
    'no typ': bench.token({}, { typ: undefined }),
    'logout token': bench.token(
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      { typ: 'logout+jwt' },
    ),
    'logout token that says at+jwt': bench.token({ events: {} }),
    'DPoP proof': bench.token({ htm: 'GET' }, { typ: 'dpop+jwt' }),
    'security event': bench.token({}, { typ: 'secevent+jwt' }),
    'typ is a list': bench.token({}, { typ: ['at+jwt'] }),
    'typ with a parameter': bench.token({}, { typ: 'at+jwt; x=1' }),
    'twice application/': bench.token({}, { typ: 'application/application/at+jwt' }),
  })
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt'])
    t.equal((await bench.call(bench.token({}, { typ }))).statusCode, 200, typ)
})

t.test('refuses a bound token without a proof', async t => {
  const bench = await startBench(t)
  for (const cnf of [{ jkt: 'thumbprint' }, { 'x5t#S256': 'thumbprint' }, {}, null, 'text']) {
    t.equal((await bench.call(bench.token({ cnf }))).statusCode, 401, JSON.stringify(cnf))
    t.equal(bench.lastReason(), 'binding')
  }
})
