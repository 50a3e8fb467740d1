import colors from 'picocolors'
import type { DemoConfig, Listening } from './config.js'
import { DatabaseError } from './database/database-error.js'
import type { Finding } from './doctor/doctor.js'
import type { MovedService } from './ports.js'
import type { Happening } from './processes/supervise.js'
import type { TokenStep } from './token-flow.js'
import type { TryIt } from './try-it.js'

const marks: Readonly<Record<TokenStep['kind'], string>> = {
  requested: colors.magenta('→ token requested'),
  received: colors.magenta('← token received '),
  sent: colors.cyan('→ call           '),
  verified: colors.green('✓ verified       '),
  replaced: colors.yellow('↻ new token      '),
  refused: colors.red('✗ refused        '),
  failed: colors.red('✗ failed         '),
  keys: colors.magenta('← keys           '),
}

/** Prints one token event. */
export function sayStep({ kind, text }: TokenStep): void {
  console.log(`  ${marks[kind]}  ${text}`)
}

/** Prints a separate line. */
export function sayThing(text: string): void {
  console.log(`\n${colors.bold(text)}\n`)
}

const at = ({ host, port }: Listening, path = ''): string =>
  colors.cyan(`http://${host}:${port}${path}`.padEnd(27))

/** Explains why the first start takes longer. */
export function sayFirstStart(folder: string): void {
  console.log(
    colors.dim(`\n  Creating the database in ${folder}: this takes a few seconds, only at the first start.`),
  )
}

/** Prints the addresses of the services. */
export function sayWelcome(
  config: DemoConfig,
  { moved, startedInMs, isLive }: { moved: readonly MovedService[]; startedInMs: number; isLive: boolean },
): void {
  const { storefront, payments, receipts, authorizationServer, isIssuerReal } = config
  const flow = `    Token flow        ${at(storefront, '/live')}  every request and token, with switches to break things\n`
  console.log(`
  ${colors.bold('The bookstore is open')} ${colors.dim(`(${(startedInMs / 1000).toFixed(1)} s)`)}

    Shop              ${colors.bold(at(storefront))}  ${colors.bold('← open this and buy a book')}
${isLive ? flow : ''}    Payment service   ${at(payments, '/docs')}  needs a token for ${payments.audience}
    Receipt service   ${at(receipts, '/docs')}  needs a token for ${receipts.audience}
    Issuer            ${isIssuerReal ? colors.cyan(payments.issuer) : at(authorizationServer)}  the authorization server: issues the tokens
`)
  for (const { service, wanted, used } of moved)
    console.log(colors.yellow(`    Port ${wanted} is taken by another program, so ${service} uses ${used}.`))
  const told = isLive
    ? 'The token requests and calls of the services are printed here.'
    : 'Kill any process; the demo starts another in its place.'
  console.log(colors.dim(`    ${told} Ctrl+C closes the shop.\n`))
}

/** Prints commands that get a token by hand. */
export function sayTryIt(tryIt: TryIt | undefined): void {
  if (tryIt === undefined) return
  console.log(colors.bold('  Get a token yourself, in another terminal:\n'))
  for (const { title, command, expected } of tryIt.attempts) {
    console.log(colors.dim(`  # ${title} → ${expected}`))
    console.log(`  ${command.replaceAll('\n', '\n  ')}\n`)
  }
}

/** Prints that a process listens or has died. */
export const sayProcess: Happening = (what, { service, pid }) => {
  if (what === 'ready')
    console.log(`  ${colors.green('✓ listens')}  ${service}, process ${pid}  ${colors.dim(`kill -9 ${pid}`)}`)
  else console.log(`  ${colors.yellow('✗ died   ')}  ${service}, process ${pid}; starting another`)
}

/** What the doctor found. */
export function sayFinding(subject: string, { isWell, found, remedy }: Finding): void {
  console.log(`  ${isWell ? colors.green('✓') : colors.red('✗')} ${colors.bold(subject)}: ${found}`)
  if (remedy !== undefined) console.log(`    ${colors.yellow(remedy)}`)
}

export function sayClosing(): void {
  console.log(colors.bold('\n  Closing: running requests finish first. Press Ctrl+C again to end at once.\n'))
}

export function sayEndedAtOnce(): void {
  console.log(colors.bold('\n  Ended at once. Payments are safe.\n'))
}

/** Prints an unhandled error with its stack. */
export function sayCrash(error: unknown): void {
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
  console.error(colors.red(`\nThe demo ends because of an unexpected error, which is a bug:\n${told}\n`))
}

/** Prints why the demo ends, and what to do. */
export function sayFailure(error: unknown): void {
  const { message, remedy } = explainFailure(error)
  console.error(colors.red(`\nThe demo failed: ${message}`))
  if (remedy !== undefined) console.error(colors.yellow(remedy))
  console.error()
}

function explainFailure(error: unknown): { readonly message: string; readonly remedy?: string } {
  if (!(error instanceof Error)) return { message: String(error) }
  const { message, code, port } = error as NodeJS.ErrnoException & { port?: number }
  if (code === 'EADDRINUSE')
    return {
      message: `another program has taken port ${port}.`,
      remedy: 'Start the demo again.',
    }
  if (code === 'EACCES' && port !== undefined) return { message: `this user may not listen on port ${port}.` }
  if (error instanceof DatabaseError) return { message, remedy: error.remedy }
  return { message }
}
