import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'

/** Runs a module in a child process, which is killed if it does not end. */
async function run(
  source: string,
  flags: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', source], {
    cwd: import.meta.dirname,
    env: { PATH: process.env['PATH'] },
    timeout: 15_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  child.stdout.on('data', chunk => (output += String(chunk)))
  child.stderr.on('data', chunk => (output += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

const start = `
import { createTestIssuer } from 'oauth-test-issuer'
const issuer = await createTestIssuer({ audience: 'a:b' })
`

for (const [what, source] of [
  ['nothing more happens', ''],
  ['connections were kept alive', `await (await fetch(issuer.jwksUri)).json()\n`],
  [
    'a raw connection is open',
    `const { connect } = await import('node:net')
     const socket = connect(Number(new URL(issuer.url).port), '127.0.0.1')
     await new Promise(resolve => socket.once('connect', resolve))
     socket.unref()\n`,
  ],
  [
    'a caller gave up waiting for a delayed answer',
    `issuer.fail('jwks', { delayMs: 3_600_000 })
     await fetch(issuer.jwksUri, { signal: AbortSignal.timeout(20) }).catch(() => {})\n`,
  ],
  [
    'a caller without a socket gave up waiting',
    `issuer.fail('jwks', { delayMs: 3_600_000 })
     const caller = new AbortController()
     setImmediate(() => caller.abort())
     await issuer.fetch(issuer.jwksUri, { signal: caller.signal }).catch(() => {})\n`,
  ],
] as const)
  t.test(`an open issuer does not keep the process alive: ${what}`, async t => {
    const { code, output } = await run(`${start}${source}console.log('done')`)
    t.equal(output, 'done\n')
    t.equal(code, 0)
  })

t.test('a test that fails before it registers clean-up ends with its own error', async t => {
  const { code, output } = await run(
    `import test from 'node:test'
     test('fails early', async t => {
       ${start.replace('import', '// import')}
       await (await fetch(issuer.url + '/.well-known/openid-configuration')).json()
       throw new Error('registration failed')
     })`.replace('// import', `const { createTestIssuer } = await import('oauth-test-issuer') //`),
  )
  t.equal(code, 1)
  t.match(output, /registration failed/)
})

t.test('answers a pending request even if nothing else keeps the process alive', async t => {
  const { code, output } = await run(
    `${start}issuer.fail('jwks', { delayMs: 30 })
     console.log((await fetch(issuer.jwksUri)).status, (await issuer.fetch(issuer.jwksUri)).status)`,
  )
  t.equal(output, '200 200\n')
  t.equal(code, 0)
})
