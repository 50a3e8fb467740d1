import { closeOnSignal } from '../close-on-signal.js'
import { withCookieSecret } from '../cookie-secret.js'
import { EnvironmentError } from '../environment.js'
import { loadConfig } from '../load-config.js'
import { chooseUsualPorts } from '../ports.js'
import { sayProcess, sayWelcome } from '../terminal.js'
import { supervise } from './supervise.js'

/**
 * Runs the shop with one process for each replica of each service, until Ctrl+C. Any process may be killed.
 * @param given the number of replicas of payments and receipts, as typed
 * @throws {EnvironmentError} if `DATABASE_URL` is not set
 */
export async function keepProcesses(given = '2'): Promise<void> {
  const count = Number(given)
  if (!Number.isInteger(count) || count < 1 || count > 16)
    throw new Error(`--replicas is ${given}; expected a whole number from 1 to 16`)
  if ((process.env['DATABASE_URL'] ?? '') === '')
    throw new EnvironmentError(
      '--processes needs DATABASE_URL, such as postgres://user@127.0.0.1:5432/bookstore: ' +
        'the embedded database can be open in one process only',
    )
  const { ports, moved } = await chooseUsualPorts()
  const config = loadConfig(ports, withCookieSecret(process.env))
  const supervisor = await supervise(
    config,
    {
      authorizationServer: config.isIssuerReal ? 0 : 1,
      receipts: count,
      payments: count,
      // One storefront is enough here. More would work too, because all share the secret of the cart's cookie.
      storefront: 1,
    },
    sayProcess,
  )
  sayWelcome(config, { moved, startedInMs: performance.now(), isLive: false })
  closeOnSignal(() => supervisor.close(), 30_000)
}
