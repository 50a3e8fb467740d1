import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** Requests that differ in their `Authorization` header only; `undefined` for none. They are sent in turn. */
export type Credentials = readonly (string | undefined)[]

export interface Load {
  readonly path: string
  readonly credentials: Credentials
  readonly seconds: number
}

/** What one slice of load came to. */
export interface Slice {
  readonly requests: number
  readonly seconds: number
  readonly p99Ms: number
  /** Answers with another status than 2xx or 3xx. */
  readonly refused: number
  /** Requests without an answer. */
  readonly failed: number
}

const connections = 32
const run = promisify(execFile)
const script = fileURLToPath(new URL('../../wrk.lua', import.meta.url))
const autocannon = fileURLToPath(new URL('./autocannon.js', import.meta.url))

/** wrk costs the least of the processor; autocannon does where it is not installed. */
export const loadGenerator: string =
  spawnSync('wrk', ['--version']).error === undefined ? 'wrk' : 'autocannon'

/** Sends load to servers, each time going on in the list where the last slice to the same server ended. */
export interface LoadGenerator {
  send(url: string, load: Load): Promise<Slice>
  close(): Promise<void>
}

export async function createLoadGenerator(): Promise<LoadGenerator> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  const files = new Map<Credentials, string>()
  const sent = new Map<string, number>()
  const fileOf = (credentials: Credentials): string => {
    const known = files.get(credentials)
    if (known !== undefined) return known
    const file = join(folder, `${files.size}.txt`)
    writeFileSync(file, credentials.map(value => `${value ?? ''}\n`).join(''))
    files.set(credentials, file)
    return file
  }
  return {
    async send(url, { path, credentials, seconds }) {
      const file = fileOf(credentials)
      const place = `${url} ${file}`
      const first = sent.get(place) ?? 0
      const args = [file, path, String(first)]
      const { stdout } =
        loadGenerator === 'wrk'
          ? await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url, '--', ...args])
          : await run(process.execPath, [autocannon, url, ...args, String(seconds), String(connections)])
      const slice = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{'))) as Slice
      sent.set(place, first + slice.requests)
      return slice
    },
    close: () => rm(folder, { recursive: true }),
  }
}
