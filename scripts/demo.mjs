// `pnpm demo`: compiles the demo with a progress message, and starts it in this process.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Delay of the message, in milliseconds, so that an up-to-date build prints nothing. */
const silentMs = 700
const tickMs = 1_000

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`The demo needs Node.js 20.19 or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

const started = performance.now()
const seconds = () => Math.round((performance.now() - started) / 1000)
const isTerminal = process.stdout.isTTY
const say = text => process.stdout.write(isTerminal ? `\r  ${text}` : `  ${text}\n`)
process.stdout.on('error', () => {})

let ticking
const announcing = setTimeout(() => {
  say('Compiling the services (about 20 s the first time)')
  if (isTerminal)
    ticking = setInterval(() => say(`Compiling the services… ${seconds()} s${' '.repeat(30)}`), tickMs)
}, silentMs)

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
const compiler = spawn(process.execPath, [join(typescript, 'bin', 'tsc'), '-b', 'demo'], { stdio: 'inherit' })
const code = await new Promise(resolve => compiler.once('close', resolve))
clearTimeout(announcing)
clearInterval(ticking)
if (ticking !== undefined) say(`Compiled in ${seconds()} s.${' '.repeat(30)}\n`)
if (code !== 0) process.exit(code ?? 1)

await import('../demo/dist/start.js')
