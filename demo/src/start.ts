import closeWithGrace from 'close-with-grace'
import { parseCommandLine, usage } from './command-line.js'
import type { DemoConfig } from './config.js'
import { isFirstStart, prepareFolder } from './database/prepare-folder.js'
import { loadConfig } from './load-config.js'
import { chooseFreePorts, chooseUsualPorts } from './ports.js'
import { sayFailure, sayFinding, sayFirstStart, sayStep, sayThing, sayWelcome } from './terminal.js'
import { watchTokens } from './token-flow.js'

async function main(): Promise<void> {
  const { command, envFile } = parseCommandLine(process.argv.slice(2))
  if (envFile !== undefined) process.loadEnvFile(envFile)
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

// Services are loaded while the database is being created: they are not imported above.

async function seeDoctor(): Promise<void> {
  const { examine } = await import('./doctor/doctor.js')
  const isWell = await examine(process.env, sayFinding)
  sayThing(isWell ? 'All is well: pnpm demo' : 'Something is wrong, see above.')
  if (!isWell) process.exitCode = 1
}

async function buyOnce(out: string | undefined): Promise<void> {
  const config = loadConfig(await chooseFreePorts(), process.env)
  const databaseReady = prepareDatabase(config)
  const { buyOneBook } = await import('./once.js')
  await buyOneBook(config, databaseReady, out)
}

async function keepOpen(): Promise<void> {
  const { ports, moved } = await chooseUsualPorts()
  const config = loadConfig(ports, process.env)
  const databaseReady = prepareDatabase(config)
  const { openBookstore } = await import('./bookstore.js')
  const shop = await openBookstore(config, databaseReady)
  closeWithGrace({ delay: 30_000, logger: { error: sayFailure } }, () => shop.close())
  // Counted from the start of the process.
  sayWelcome(config, { moved, startedInMs: performance.now(), isLive: true })
  watchTokens(sayStep)
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
