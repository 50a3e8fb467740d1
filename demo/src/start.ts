import type { Bookstore } from './bookstore.js'
import { closeOnSignal } from './close-on-signal.js'
import { loadEnvFile, parseCommandLine, usage } from './command-line.js'
import type { DemoConfig } from './config.js'
import { withCookieSecret } from './cookie-secret.js'
import { isFirstStart, prepareFolder } from './database/prepare-folder.js'
import { loadConfig } from './load-config.js'
import { checkWritable } from './output-file.js'
import { chooseFreePorts, tryUsualPorts, type MovedService } from './ports.js'
import { sayFailure, sayFinding, sayFirstStart, sayStep, sayThing, sayTryIt, sayWelcome } from './terminal.js'
import { watchTokens, type TokenStep } from './token-flow.js'
import { tryItYourself } from './try-it.js'

async function main(): Promise<void> {
  const { command, envFile } = parseCommandLine(process.argv.slice(2))
  if (envFile !== undefined) loadEnvFile(envFile)
  // `pnpm demo | head -1` stops reading early; that is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  switch (command.name) {
    case 'help':
      return console.log(usage)
    case 'doctor':
      return seeDoctor()
    case 'once':
      return buyOnce(command.out)
    case 'serve':
      return (await import('./processes/serve.js')).serve(command.service)
    case 'processes':
      return (await import('./processes/keep-processes.js')).keepProcesses(command.replicas)
    default:
      return keepOpen()
  }
}

// The services are not imported above, so that they load while the database is being created.

async function seeDoctor(): Promise<void> {
  const { examine } = await import('./doctor/doctor.js')
  const isWell = await examine(process.env, sayFinding)
  sayThing(isWell ? 'All checks passed. Start the shop: pnpm demo' : 'A check failed, see above.')
  if (!isWell) process.exitCode = 1
}

async function buyOnce(out: string | undefined): Promise<void> {
  if (out !== undefined) await checkWritable(out)
  const config = loadConfig(await chooseFreePorts(), process.env)
  const databaseReady = prepareDatabase(config)
  const { buyOneBook } = await import('./once.js')
  await buyOneBook(config, databaseReady, out)
}

async function keepOpen(): Promise<void> {
  const steps = rememberSteps()
  const { config, moved, shop } = await openOnUsualPorts()
  const close = closeOnSignal(() => shop.close(), 30_000)
  process.stdout.once('error', () => void close())
  // `performance.now()` counts from the start of the process.
  sayWelcome(config, { moved, startedInMs: performance.now(), isLive: true })
  sayTryIt(tryItYourself(config))
  steps.tell(sayStep)
}

async function openOnUsualPorts(): Promise<{
  config: DemoConfig
  moved: readonly MovedService[]
  shop: Bookstore
}> {
  const env = withCookieSecret(process.env)
  let databaseReady: Promise<void> | undefined
  return tryUsualPorts(async ({ ports, moved }) => {
    const config = loadConfig(ports, env)
    databaseReady ??= prepareDatabase(config)
    const { openBookstore } = await import('./bookstore.js')
    return { config, moved, shop: await openBookstore(config, databaseReady) }
  })
}

/** Keeps the token events of the start, which are printed after the welcome. */
function rememberSteps(): { tell(listener: (step: TokenStep) => void): void } {
  const early: TokenStep[] = []
  let listen = (step: TokenStep): void => void early.push(step)
  watchTokens(step => listen(step))
  return {
    tell(listener) {
      for (const step of early.splice(0)) listener(step)
      listen = listener
    },
  }
}

async function prepareDatabase({ payments: { database } }: DemoConfig): Promise<void> {
  if (!isFirstStart(database)) return
  sayFirstStart(database.folder)
  await prepareFolder(database)
}

main().catch((error: unknown) => {
  sayFailure(error)
  process.exitCode = 1
})
