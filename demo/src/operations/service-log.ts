import colors from 'picocolors'

/** The properties of a Pino log line. */
interface LogLine {
  readonly level?: number
  readonly name?: string
  readonly msg?: string
  readonly reason?: string
  readonly error?: string
  readonly delayMs?: number
  readonly err?: { readonly message?: string }
}

interface LoggerOptions {
  readonly level: string
  readonly name: string
  readonly stream?: { write(line: string): void }
}

/** Logger options for `fastify(…)`: readable lines on a terminal, JSON otherwise. */
export function serviceLog(name: string, level: string): LoggerOptions {
  const stream = { write: (line: string): void => void process.stdout.write(readable(line)) }
  return { level, name, ...(process.stdout.isTTY ? { stream } : {}) }
}

/** Formats a Pino log line for a person. */
export function readable(json: string): string {
  const line = parse(json)
  if (line === undefined) return json
  const { level = 0, name = 'log', msg = '', delayMs } = line
  const why = line.reason ?? line.error ?? line.err?.message
  const told = [
    `${name}: ${msg}`,
    why === undefined || why === msg ? '' : ` (${why})`,
    delayMs === undefined ? '' : `; next try in ${(delayMs / 1000).toFixed(1)} s`,
  ].join('')
  if (level >= 50) return colors.red(`  ✗ ${told}\n`)
  return level >= 40 ? colors.yellow(`  ! ${told}\n`) : colors.dim(`  · ${told}\n`)
}

function parse(json: string): LogLine | undefined {
  try {
    return JSON.parse(json) as LogLine
  } catch {
    return undefined
  }
}
