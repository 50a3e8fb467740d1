import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { openBookstore } from './bookstore.js'
import { loadConfig } from './config.js'
import { examine } from './doctor/doctor.js'
import { buyOneBook } from './once.js'
import { chooseUsualPorts } from './ports.js'
import { sayFailure, sayFinding, sayStep, sayThing, sayWelcome } from './terminal.js'
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
  if (values.once === true) return buyOneBook(process.env, values.out)
  if (values.out !== undefined) throw new Error(`--out belongs to --once\n\n${usage}`)
  await keepOpen()
}

async function seeDoctor(): Promise<void> {
  const isWell = await examine(process.env, sayFinding)
  sayThing(isWell ? 'All is well: pnpm demo' : 'Something is wrong, see above.')
  if (!isWell) process.exitCode = 1
}

async function keepOpen(): Promise<void> {
  const startedAt = performance.now()
  const { ports, moved } = await chooseUsualPorts()
  const config = loadConfig(ports, process.env)
  const shop = await openBookstore(config)
  sayWelcome(config, moved, performance.now() - startedAt)
  watchTokens(sayStep)
  closeWithGrace({ delay: 10_000, logger: { error: sayFailure } }, () => shop.close())
}

main().catch((error: unknown) => {
  sayFailure(error)
  process.exitCode = 1
})
