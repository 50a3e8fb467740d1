import colors from 'picocolors'
import type { DemoConfig, Listening } from './config.js'
import type { Finding } from './doctor/doctor.js'
import type { MovedService } from './ports.js'
import type { Happening } from './processes/supervise.js'
import type { TokenStep } from './token-flow.js'

const marks: Readonly<Record<TokenStep['kind'], string>> = {
  requested: colors.magenta('→ token requested'),
  received: colors.magenta('← token received '),
  sent: colors.cyan('→ call           '),
  verified: colors.green('✓ verified       '),
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

const at = ({ host, port }: Listening): string => colors.cyan(`http://${host}:${port}`)

/** Why the first start takes longer. */
export function sayFirstStart(folder: string): void {
  console.log(colors.dim(`\n  Creating the database in ${folder}: some seconds, the first time only.`))
}

/** What runs where, and what to open. */
export function sayWelcome(
  config: DemoConfig,
  { moved, startedInMs, isLive }: { moved: readonly MovedService[]; startedInMs: number; isLive: boolean },
): void {
  console.log(`
  ${colors.bold('The bookstore is open')} ${colors.dim(`(${(startedInMs / 1000).toFixed(1)} s)`)}

    Shop                  ${colors.bold(at(config.storefront))}   ${colors.bold('← open this, buy a book')}
    Payment service       ${at(config.payments)}   needs a token for ${config.payments.audience}
    Receipt service       ${at(config.receipts)}   needs a token for ${config.receipts.audience}
    Authorization server  ${config.isIssuerReal ? colors.cyan(config.payments.issuer) : at(config.authorizationServer)}   issues the tokens
${isLive ? `    Token flow            ${at(config.storefront)}${colors.cyan('/live')}   every request, every token, and things to break\n` : ''}`)
  for (const { service, wanted, used } of moved)
    console.log(colors.yellow(`    Port ${wanted} is taken by another program, so ${service} uses ${used}.`))
  const told = isLive
    ? 'Every step of every token is told here.'
    : 'Kill any process: another takes its place.'
  console.log(colors.dim(`    ${told} Ctrl+C closes the shop.\n`))
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

/** Why it does not go on. */
export function sayFailure(error: unknown): void {
  console.error(colors.red(`\nIt failed: ${error instanceof Error ? error.message : String(error)}\n`))
}
