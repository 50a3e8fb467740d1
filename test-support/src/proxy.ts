import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { Test } from 'tap'
import { listen } from './listen.js'

/** Starts a CONNECT proxy and records the hosts to which it opens tunnels. */
export async function startProxy(t: Test): Promise<{ url: string; tunnels: (string | undefined)[] }> {
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
  return { url: await listen(t, proxy), tunnels }
}

/** Sets environment variables until the test ends. */
export function setEnvironment(t: Test, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const { [name]: before } = process.env
    process.env[name] = value
    t.teardown(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
}
