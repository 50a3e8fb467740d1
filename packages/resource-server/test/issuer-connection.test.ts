import t from 'tap'
import { Agent } from 'undici'
import { fetchJwks } from '#src/verify/fetch-jwks.js'
import { connectToIssuer } from '#src/verify/issuer-connection.js'
import { fetchKeysOf } from '#src/verify/issuer-keys.js'
import { holdAnswer, makeKey, startHandMadeIssuer } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

t.test("the user's own dispatcher carries the requests, and stays open", async t => {
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

t.test('what the end of the application interrupts is no failure of the issuer', async t => {
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

t.test('an issuer that hangs, or drips, is given up in bounded time', async t => {
  const issuer = await startHandMadeIssuer(t, [makeKey('first')])
  const connection = connectToIssuer(undefined, 40)
  t.teardown(() => connection.close())
  issuer.answer = () => {}
  await t.rejects(fetchJwks(`${issuer.url}/jwks`, connection), 'it never answers')
  await t.rejects(connection.getJson(`${issuer.url}/jwks`), 'nor as metadata')
  issuer.answer = response => {
    const drip = setInterval(() => response.write(' '), 5)
    response.on('close', () => clearInterval(drip))
  }
  await t.rejects(fetchJwks(`${issuer.url}/jwks`, connection), 'it never ends')
  await t.rejects(connection.getJson(`${issuer.url}/jwks`), 'nor as metadata')
})

t.test('metadata and keys have the time of one exchange together', async t => {
  const issuer = await startHandMadeIssuer(t, [makeKey('first')])
  const connection = connectToIssuer(undefined)
  t.teardown(() => connection.close())
  let exchanges = 0
  const counting = {
    ...connection,
    exchange() {
      exchanges += 1
      return connection.exchange()
    },
    signal: () => t.fail('a time of its own') as never,
    getJson: () => t.fail('a time of its own') as never,
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
  const exchange = connection.exchange()
  t.equal(exchange.signal(), exchange.signal())
  t.not(connection.exchange().signal(), exchange.signal())
})
