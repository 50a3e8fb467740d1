import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { loadConfig, type DemoConfig } from './config.js'
import { isFirstStart, prepareFolder } from './database/prepare-folder.js'
import { chooseFreePorts, chooseUsualPorts } from './ports.js'
import { sayFailure, sayFinding, sayFirstStart, sayStep, sayThing, sayWelcome } from './terminal.js'
import { watchTokens } from './token-flow.js'

const usage = `pnpm demo                          opens the bookstore; Ctrl+C closes it
pnpm demo --once [--out FILE.pdf]  buys one book and ends; the receipt goes to FILE.pdf
pnpm demo doctor                   says what is wrong with Node, ports, database or issuer, and what to do

--env FILE                         reads variables from a file first; demo/env has one for each kind of issuer`

async function main(): Promise<void> {
  // `pnpm demo -- --once` hands the two dashes on.
  const args = process.argv.slice(2).filter(argument => argument !== '--')
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      once: { type: 'boolean' },
      out: { type: 'string' },
      env: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const [command, ...rest] = positionals
  if (rest.length > 0 || (command !== undefined && command !== 'doctor'))
    throw new Error(`there is no ${positionals.join(' ')}\n\n${usage}`)
  if (values.help === true) return console.log(usage)
  if (values.env !== undefined) process.loadEnvFile(values.env)
  if (command === 'doctor') return seeDoctor()
  if (values.once === true) return buyOnce(values.out)
  if (values.out !== undefined) throw new Error(`--out belongs to --once\n\n${usage}`)
  await keepOpen()
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
  // Counted from the start of the process.
  sayWelcome(config, moved, performance.now())
  watchTokens(sayStep)
  closeWithGrace({ delay: 10_000, logger: { error: sayFailure } }, () => shop.close())
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
