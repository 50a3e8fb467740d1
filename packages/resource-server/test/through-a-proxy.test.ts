import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { makeKey } from './hand-made-issuer.js'
import { startBench } from './protected-app.js'

t.test('metadata and keys come through the proxy of the environment', async t => {
  const tunnels: (string | undefined)[] = []
  const proxy = createServer().on('connect', (request, socket) => {
    tunnels.push(request.url)
    const { hostname, port } = new URL(`http://${request.url}`)
    const upstream = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    for (const one of [upstream, socket]) one.on('error', () => {})
    t.teardown(() => upstream.destroy())
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => proxy.close())
  const variables: Record<string, string> = {
    NODE_USE_ENV_PROXY: '1',
    HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
  }
  for (const [name, value] of Object.entries(variables)) {
    const { [name]: before } = process.env
    process.env[name] = value
    t.teardown(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
  const bench = await startBench(t, {}, makeKey('first'))
  t.equal((await bench.call(bench.token())).statusCode, 200)
  t.ok(tunnels.length > 0)
  t.ok(tunnels.every(host => host === new URL(bench.issuer.url).host))
})
