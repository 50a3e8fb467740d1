import t from 'tap'
import { setEnvironment, startProxy } from 'test-support/proxy'
import { makeKey } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

t.test('fetches metadata and keys through the proxy of the environment', async t => {
  const { url, tunnels } = await startProxy(t)
  setEnvironment(t, { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url })
  const bench = await startBench(t, {}, makeKey('first'))
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.ok(tunnels.length > 0)
  t.ok(tunnels.every(host => host === new URL(bench.issuer.url).host))
})
