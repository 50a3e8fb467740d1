import { closeOnSignal } from '../close-on-signal.js'
import { usualPorts, type DemoConfig, type ServiceName } from '../config.js'
import { EnvironmentError } from '../environment.js'
import { configLoaders } from '../load-config.js'
import { isIssuerReal } from '../real-issuer.js'
import { sayThing } from '../terminal.js'
import { openService } from './build-service.js'

/**
 * Does not include the authorization server, which generates its clients' secrets at each start, in its own process.
 */
const names: readonly ServiceName[] = ['storefront', 'payments', 'receipts']

/**
 * Runs one service until it receives a signal, as in a container. The environment configures its address, the services
 * it calls and its credentials; settings of other services are not needed.
 * @throws {EnvironmentError}
 */
export async function serve(wanted: string): Promise<void> {
  const name = names.find(one => one === wanted)
  if (name === undefined) throw new Error(`there is no service ${wanted}, only ${names.join(', ')}`)
  if (!isIssuerReal(process.env))
    throw new EnvironmentError('ISSUER is needed: a service that runs alone cannot use the demo’s own issuer')
  const config: DemoConfig[typeof name] = configLoaders(usualPorts, process.env)[name]()
  const service = await openService(name, config)
  closeOnSignal(() => service.close(), 20_000)
  // Without a terminal, the output contains only log lines.
  if (process.stdout.isTTY) sayThing(`${name} listens on ${config.host}:${config.port}`)
}
