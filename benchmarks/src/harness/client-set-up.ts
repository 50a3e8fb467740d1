import { createTestIssuer, type TestIssuer } from 'oauth-test-issuer'
import type { ClientConfig } from '../clients/call-loop.js'
import { scope } from './issuer.js'
import { startServer, type ServerProcess } from './server-process.js'

/** An API in a process of its own, an issuer, and a client that is registered there. */
export interface ClientSetUp {
  readonly issuer: TestIssuer
  readonly config: ClientConfig
  close(): Promise<void>
}

/** @param expiresInMs token lifetime in milliseconds */
export async function setUpClient(expiresInMs: number): Promise<ClientSetUp> {
  const api: ServerProcess = await startServer('the API', 'servers/api', {})
  const issuer = await createTestIssuer({ expiresInMs })
  const { clientId, clientSecret } = issuer.registerClient({
    clientId: 'payment',
    clientSecret: 'a secret of this measurement alone',
    scopes: [scope],
    audience: [api.url],
  })
  return {
    issuer,
    config: {
      api: api.url,
      issuer: issuer.url,
      tokenEndpoint: issuer.tokenEndpoint,
      clientId,
      clientSecret,
      resource: api.url,
      scope,
    },
    async close() {
      await Promise.all([api.stop(), issuer.close()])
    },
  }
}
