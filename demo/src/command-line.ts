import { parseArgs } from 'node:util'

export const usage = `pnpm demo                          opens the bookstore; Ctrl+C closes it
pnpm demo --once [--out FILE.pdf]  buys one book and ends; the receipt goes to FILE.pdf
pnpm demo --processes [--replicas N]
                                   one process a service, N (2) of payments and receipts; needs DATABASE_URL
pnpm demo serve NAME               one service alone, all from the environment, as in compose.yaml
pnpm demo doctor                   says what is wrong with Node, ports, database or issuer, and what to do

--env FILE                         reads variables from a file first; demo/env has one for each kind of issuer`

/** What is to be done. */
export type Command =
  | { readonly name: 'help' | 'open' | 'doctor' }
  | { readonly name: 'once'; readonly out: string | undefined }
  | { readonly name: 'processes'; readonly replicas: string | undefined }
  | { readonly name: 'serve'; readonly service: string }

/**
 * Reads the command line.
 * @throws {Error} for what cannot be understood, with what could
 */
export function parseCommandLine(argv: readonly string[]): { command: Command; envFile: string | undefined } {
  const { values, positionals } = parseArgs({
    // `pnpm demo -- --once` hands the two dashes on.
    args: argv.filter(argument => argument !== '--'),
    allowPositionals: true,
    options: {
      once: { type: 'boolean' },
      out: { type: 'string' },
      processes: { type: 'boolean' },
      replicas: { type: 'string' },
      env: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  const { once = false, processes = false, out, replicas, env: envFile, help = false } = values
  if (help) return { command: { name: 'help' }, envFile: undefined }
  if (out !== undefined && !once) throw misunderstood('--out belongs to --once')
  if (replicas !== undefined && !processes) throw misunderstood('--replicas belongs to --processes')
  if (positionals.length > 0) return { command: spelledOut(positionals), envFile }
  if (once) return { command: { name: 'once', out }, envFile }
  if (processes) return { command: { name: 'processes', replicas }, envFile }
  return { command: { name: 'open' }, envFile }
}

function spelledOut(words: readonly string[]): Command {
  const [first, second, third] = words
  if (first === 'doctor' && second === undefined) return { name: 'doctor' }
  if (first === 'serve' && second !== undefined && third === undefined)
    return { name: 'serve', service: second }
  throw misunderstood(`there is no ${words.join(' ')}`)
}

function misunderstood(what: string): Error {
  return new Error(`${what}\n\n${usage}`)
}
