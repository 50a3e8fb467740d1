import { closeOnSignal } from '../close-on-signal.js'
import { usualPorts, type DemoConfig, type ServiceName } from '../config.js'
import { EnvironmentError } from '../environment.js'
import { configLoaders } from '../load-config.js'
import { isIssuerReal } from '../real-issuer.js'
import { sayThing } from '../terminal.js'
import { openService } from './build-service.js'

/** The authorization server is not among them: its clients' secrets are made at each start, for its own process. */
const names: readonly ServiceName[] = ['storefront', 'payments', 'receipts']

/**
 * Runs one service until it is told to end, as a container does: where it listens, whom it calls and with what comes
 * from the environment, and only what it needs itself has to be there.
 * @throws {EnvironmentError}
 */
export async function serve(wanted: string): Promise<void> {
  const name = names.find(one => one === wanted)
  if (name === undefined) throw new Error(`there is no service ${wanted}, only ${names.join(', ')}`)
  if (!isIssuerReal(process.env))
    throw new EnvironmentError('ISSUER is needed: a service that runs alone has no issuer beside it')
  const config: DemoConfig[typeof name] = configLoaders(usualPorts, process.env)[name]()
  const service = await openService(name, config)
  closeOnSignal(() => service.close(), 20_000)
  // Elsewhere than in a terminal, what is said is log lines alone.
  if (process.stdout.isTTY) sayThing(`${name} listens on ${config.host}:${config.port}`)
}
