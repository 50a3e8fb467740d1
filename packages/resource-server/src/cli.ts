#!/usr/bin/env node
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { profiles, type ProfileName } from './claims/profiles.js'
import { formatExplanation } from './explain/format-explanation.js'
import { explain, type ExplainOptions } from './explain-once.js'

const usage = `fastify-resource-server explain --issuer URL --audience URI [options] < token.txt

Lists every check of an access token, with advice for each failed check. The token is read from standard input. The
command prints values of the token's claims, but not the token.

  --issuer URL            the issuer whose tokens are accepted
  --audience URI          an audience that is accepted; may be repeated
  --profile NAME          ${Object.keys(profiles).join(', ')} (default: rfc9068)
  --scope "A B"           scopes that the token must have; may be repeated
  --role NAME             a role that is enough instead of the scopes; may be repeated
  --jwks-uri URL          the URL of the issuer's keys (default: the URL in the issuer's metadata)
  --allow-insecure-http   allow http URLs for other machines
  --json                  print the explanation as JSON

Exit code: 0 if the token is accepted, 1 if it is refused, 2 if the arguments are invalid.`

interface Command {
  readonly options: ExplainOptions
  readonly asJson: boolean
}

/** @throws {TypeError} if the arguments are invalid */
function parseCommand(args: readonly string[]): Command | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      issuer: { type: 'string' },
      audience: { type: 'string', multiple: true },
      profile: { type: 'string' },
      scope: { type: 'string', multiple: true },
      role: { type: 'string', multiple: true },
      'jwks-uri': { type: 'string' },
      'allow-insecure-http': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return 'help'
  const [command, ...others] = positionals
  if (command !== 'explain')
    throw new TypeError('the command is missing or unknown; the only command is explain')
  if (others.length > 0)
    throw new TypeError(
      'explain takes no positional arguments; pass the token on standard input, which keeps it out of the process list and the shell history',
    )
  for (const [name, value] of Object.entries(values)) refuseEmpty(name, value)
  const { issuer, audience, profile, 'jwks-uri': jwksUri } = values
  if (issuer === undefined) throw new TypeError('--issuer is missing')
  if (audience === undefined) throw new TypeError('--audience is missing')
  const scopes = (values.scope ?? []).flatMap(list => list.split(' ')).filter(Boolean)
  const roles = values.role ?? []
  return {
    asJson: values.json,
    options: {
      issuer,
      audience,
      allowInsecureHttp: values['allow-insecure-http'],
      // The cast is safe, because `explain` validates the profile name together with the other options.
      ...(profile === undefined ? {} : { profile: profile as ProfileName }),
      ...(jwksUri === undefined ? {} : { jwksUri }),
      // The cast is safe, because `explain` validates the rule.
      rule: Object.fromEntries(
        Object.entries({ scopes, roles }).filter(([, names]) => names.length > 0),
      ) as never,
    },
  }
}

/**
 * Rejects an empty option value, which is usually caused by an unset shell variable. If the empty value were ignored,
 * the command would silently omit the check that the user asked for.
 */
function refuseEmpty(name: string, given: unknown): void {
  for (const value of [given].flat())
    if (typeof value === 'string' && value.trim() === '')
      throw new TypeError(`--${name} is empty (an unset variable?); give a value, or omit the option`)
}

/** @returns the exit code */
async function main(args: readonly string[]): Promise<0 | 1 | 2> {
  try {
    const command = parseCommand(args)
    if (command === 'help') {
      console.log(usage)
      return 0
    }
    if (process.stdin.isTTY) console.error('Paste the token, then press Enter and Ctrl+D:')
    const token = (await text(process.stdin)).trim()
    if (token === '') throw new TypeError('no token was given; pass it on standard input')
    const explanation = await explain(token, command.options)
    console.log(command.asJson ? JSON.stringify(explanation, null, 2) : formatExplanation(explanation))
    return explanation.accepted ? 0 : 1
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

process.exitCode = await main(process.argv.slice(2))
