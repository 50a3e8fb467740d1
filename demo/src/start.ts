import { parseArgs } from 'node:util'
import closeWithGrace from 'close-with-grace'
import { openBookstore } from './bookstore.js'
import { loadConfig } from './config.js'
import { buyOneBook } from './once.js'
import { chooseUsualPorts } from './ports.js'
import { sayFailure, sayStep, sayWelcome } from './terminal.js'
import { watchTokens } from './token-flow.js'

const usage = `pnpm demo                          opens the bookstore; Ctrl+C closes it
pnpm demo --once [--out FILE.pdf]  buys one book and ends; the receipt goes to FILE.pdf`

async function main(): Promise<void> {
  // `pnpm demo -- --once` hands the two dashes on.
  const args = process.argv.slice(2).filter(argument => argument !== '--')
  const { values } = parseArgs({
    args,
    options: { once: { type: 'boolean' }, out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) return console.log(usage)
  if (values.once === true) return buyOneBook(process.env, values.out)
  if (values.out !== undefined) throw new Error(`--out belongs to --once\n\n${usage}`)
  await keepOpen()
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
