import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/**
 * Listens on a free port of this machine until the test ends.
 * @param host the scheme and the name under which the server is called
 * @returns the server's origin
 */
export async function listen(t: Test, server: Server, host: string = 'http://127.0.0.1'): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${host}:${(server.address() as AddressInfo).port}`
}
