import t from 'tap'
import { connectToIssuer } from 'oauth-issuer-connection'
import { Agent } from 'undici'
import { fetchKeysOf } from '#src/keys/issuer-keys.js'
import { holdAnswer, makeKey, startHandMadeIssuer } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

t.test('uses the given dispatcher and does not close it', async t => {
  const key = makeKey('first')
  let dispatched = 0
  const agent = new Agent()
  t.teardown(() => agent.close())
  const counting = agent.compose(dispatch => (options, handler) => {
    dispatched += 1
    return dispatch(options, handler)
  })
  const bench = await startBench(t, { issuerDispatcher: counting }, key)
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.equal(dispatched, 2, 'metadata and keys')
  await bench.app.close()
  t.equal(agent.closed, false)
})

t.test('reports no failure of the issuer when the application closes', async t => {
  const bench = await startBench(t)
  await bench.call(bench.token())
  const held = holdAnswer(bench.issuer)
  bench.clock.now += 290_000
  t.equal((await bench.call(bench.token({ jti: 'two' }))).statusCode, 200)
  await held
  await bench.app.close()
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(
    bench.logged.filter(({ level }) => level !== 30),
    [],
  )
})

t.test('applies one time limit to the requests for metadata and keys', async t => {
  const issuer = await startHandMadeIssuer(t, [makeKey('first')])
  const connection = connectToIssuer()
  t.teardown(() => connection.close())
  let exchanges = 0
  const counting = {
    exchange() {
      exchanges += 1
      return connection.exchange()
    },
  }
  const fetchKeys = fetchKeysOf(
    {
      issuer: issuer.url,
      jwksUri: undefined,
      metadataUrl: undefined,
      algorithms: ['ES256'],
      allowInsecureHttp: false,
      now: Date.now,
      onIgnored: () => {},
    },
    counting,
  )
  t.equal((await fetchKeys()).length, 1)
  t.strictSame([exchanges, issuer.asked.length], [1, 2])
})
