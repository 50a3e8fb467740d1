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

/** One step of a token's way. */
export function sayStep({ kind, text }: TokenStep): void {
  console.log(`  ${marks[kind]}  ${text}`)
}

/** A line that stands by itself. */
export function sayThing(text: string): void {
  console.log(`\n${colors.bold(text)}\n`)
}

const at = ({ host, port }: Listening, path = ''): string =>
  colors.cyan(`http://${host}:${port}${path}`.padEnd(27))

/** Why the first start takes longer. */
export function sayFirstStart(folder: string): void {
  console.log(colors.dim(`\n  Creating the database in ${folder}: a few seconds, the first time only.`))
}

/** What runs where, and what to open. */
export function sayWelcome(
  config: DemoConfig,
  { moved, startedInMs, isLive }: { moved: readonly MovedService[]; startedInMs: number; isLive: boolean },
): void {
  const { storefront, payments, receipts, authorizationServer, isIssuerReal } = config
  const flow = `    Token flow        ${at(storefront, '/live')}  every request and token, and things to break\n`
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
    ? 'Every step of every token is printed here.'
    : 'Kill any process: another takes its place.'
  console.log(colors.dim(`    ${told} Ctrl+C closes the shop.\n`))
}

/** Commands to get a token by hand. */
export function sayTryIt(tryIt: TryIt | undefined): void {
  if (tryIt === undefined) return
  console.log(colors.bold('  Get a token yourself, in another terminal:\n'))
  for (const { title, command, expected } of tryIt.attempts) {
    console.log(colors.dim(`  # ${title} → ${expected}`))
    console.log(`  ${command.replaceAll('\n', '\n  ')}\n`)
  }
}

/** A process that listens, or is gone. */
export const sayProcess: Happening = (what, { service, pid }) => {
  if (what === 'ready')
    console.log(`  ${colors.green('✓ listens')}  ${service}, process ${pid}  ${colors.dim(`kill -9 ${pid}`)}`)
  else console.log(`  ${colors.yellow('✗ died   ')}  ${service}, process ${pid}; another takes its place`)
}

/** What the doctor found. */
export function sayFinding(subject: string, { isWell, found, remedy }: Finding): void {
  console.log(`  ${isWell ? colors.green('✓') : colors.red('✗')} ${colors.bold(subject)}: ${found}`)
  if (remedy !== undefined) console.log(`    ${colors.yellow(remedy)}`)
}

/** That it closes, and how to hurry. */
export function sayClosing(): void {
  console.log(colors.bold('\n  Closing: running requests finish first. Press Ctrl+C again to end at once.\n'))
}

/** That it did not wait. */
export function sayEndedAtOnce(): void {
  console.log(colors.bold('\n  Ended at once. What is paid stays paid.\n'))
}

/** An error that no code handled, with where it happened. */
export function sayCrash(error: unknown): void {
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
  console.error(colors.red(`\nAn unexpected error ends the demo. This is a bug in it:\n${told}\n`))
}

/** Why it does not go on, and what to do. */
export function sayFailure(error: unknown): void {
  const { message, remedy } = explainFailure(error)
  console.error(colors.red(`\nIt failed: ${message}`))
  if (remedy !== undefined) console.error(colors.yellow(remedy))
  console.error()
}

function explainFailure(error: unknown): { readonly message: string; readonly remedy?: string } {
  if (!(error instanceof Error)) return { message: String(error) }
  const { message, code, port } = error as NodeJS.ErrnoException & { port?: number }
  if (code === 'EADDRINUSE')
    return {
      message: `port ${port} was taken by another program meanwhile.`,
      remedy: 'Start the demo again.',
    }
  if (code === 'EACCES' && port !== undefined) return { message: `this user may not listen on port ${port}.` }
  if (error instanceof DatabaseError) return { message, remedy: error.remedy }
  return { message }
}
