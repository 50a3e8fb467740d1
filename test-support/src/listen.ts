import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/**
 * Starts a server on a free port of 127.0.0.1 and closes it at the end of the test.
 * @param host the scheme and the host name of the returned origin
 * @returns the origin of the server
 */
export async function listen(t: Test, server: Server, host: string = 'http://127.0.0.1'): Promise<string> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${host}:${(server.address() as AddressInfo).port}`
}
