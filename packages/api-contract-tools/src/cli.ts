#!/usr/bin/env node
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { contractFromOpenApi } from './openapi/contract-from-openapi.js'
import { OpenApiError } from './openapi/errors.js'
import { usualStatuses, type FromOpenApiOptions } from './openapi/options.js'

const usage = `Usage: fastify-api-contract-tools from-openapi FILE [options]

Generates a contract for fastify-api-contract from an OpenAPI document (3.0 to 3.2, JSON or YAML).
Use - as FILE to read standard input. References to other files or URLs are rejected.

  --out FILE                   the output file; unchanged if the command fails; default: standard output
  --audience AUDIENCE          the audience of access tokens for the API; default: the URL of the first server
  --name NAME                  the name of the exported contract; default: derived from the document's title
  --default-statuses 400,404   the statuses that a \`default\` response covers; default: ${usualStatuses.join(',')}
`

function main(args: readonly string[]): void {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      audience: { type: 'string' },
      name: { type: 'string' },
      'default-statuses': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return void process.stdout.write(usage)
  const [command, file, ...more] = positionals
  if (command !== 'from-openapi' || file === undefined || more.length > 0) return refuse(usage)
  const options: FromOpenApiOptions = {
    source: file === '-' ? 'standard input' : basename(file),
    ...(values.audience !== undefined && { audience: values.audience }),
    ...(values.name !== undefined && { name: values.name }),
    ...(values['default-statuses'] !== undefined && {
      defaultStatuses: readStatuses(values['default-statuses']),
    }),
  }
  const { code, notes } = contractFromOpenApi(readFileSync(file === '-' ? 0 : file, 'utf8'), options)
  for (const note of notes) process.stderr.write(`note: ${note}\n`)
  if (values.out === undefined) process.stdout.write(code)
  else writeFileSync(values.out, code)
}

function readStatuses(text: string): number[] {
  const statuses = text.split(',').filter(part => part !== '')
  const wrong = statuses.find(status => !/^[2-5]\d\d$/.test(status))
  if (wrong !== undefined)
    throw new OpenApiError(
      `--default-statuses has ${JSON.stringify(wrong)}; expected statuses such as 400,404.`,
    )
  return statuses.map(Number)
}

function refuse(text: string): void {
  process.stderr.write(text)
  process.exitCode = 2
}

try {
  main(process.argv.slice(2))
} catch (error) {
  // Errors with a code, such as ENOENT, come from the user's input, so only the message is printed, without a stack trace.
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) throw error
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}
