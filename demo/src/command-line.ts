import { parseArgs } from 'node:util'

export const usage = `pnpm demo                          starts the shop; Ctrl+C closes it
pnpm demo --once [--out FILE.pdf]  buys one book and ends; the receipt goes to FILE.pdf
pnpm demo --processes [--replicas N]
                                   one process per service, N (default 2) for payments and for receipts; needs DATABASE_URL
pnpm demo serve NAME               one service alone, configured by the environment, as in compose.yaml
pnpm demo doctor                   checks Node, ports, database and issuer, and says what to do

--env FILE                         reads variables from a file first; demo/env has one for each kind of issuer`

/** A command with its arguments. */
export type Command =
  | { readonly name: 'help' | 'open' | 'doctor' }
  | { readonly name: 'once'; readonly out: string | undefined }
  | { readonly name: 'processes'; readonly replicas: string | undefined }
  | { readonly name: 'serve'; readonly service: string }

/**
 * Parses the command line.
 * @throws {Error} with the usage, if an argument is unknown
 */
export function parseCommandLine(argv: readonly string[]): { command: Command; envFile: string | undefined } {
  const { values, positionals } = parse(argv)
  const { once = false, processes = false, out, replicas, env: envFile, help = false } = values
  if (help) return { command: { name: 'help' }, envFile: undefined }
  if (out !== undefined && !once) throw misunderstood('--out needs --once')
  if (replicas !== undefined && !processes) throw misunderstood('--replicas needs --processes')
  if (positionals.length > 0) return { command: spelledOut(positionals), envFile }
  if (once) return { command: { name: 'once', out }, envFile }
  if (processes) return { command: { name: 'processes', replicas }, envFile }
  return { command: { name: 'open' }, envFile }
}

/** Drops the end of Node's message: advice about positional arguments that does not help here. */
function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      // `pnpm demo -- --once` passes the `--` as an argument.
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
  } catch (error) {
    const [first = ''] = (error as Error).message.split('. ')
    throw misunderstood(first)
  }
}

/**
 * Reads variables from a file; variables that are set already win.
 * @throws {Error} naming the file
 */
export function loadEnvFile(file: string): void {
  try {
    process.loadEnvFile(file)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw misunderstood(isMissing ? `--env: there is no file ${file}` : `--env: ${(error as Error).message}`)
  }
}

function spelledOut(words: readonly string[]): Command {
  const [first, second, third] = words
  if (first === 'doctor' && second === undefined) return { name: 'doctor' }
  if (first === 'serve' && second !== undefined && third === undefined)
    return { name: 'serve', service: second }
  throw misunderstood(`there is no command ${words.join(' ')}`)
}

function misunderstood(what: string): Error {
  return new Error(`${what}\n\n${usage}`)
}
