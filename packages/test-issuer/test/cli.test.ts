import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import t, { type Test } from 'tap'

const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

function start(t: Test, args: readonly string[]): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [cli, ...args], { env: { PATH: process.env['PATH'] } })
  let output = ''
  child.stdout.on('data', chunk => (output += String(chunk)))
  child.stderr.on('data', chunk => (output += String(chunk)))
  t.teardown(() => child.kill('SIGKILL'))
  return { child, said: () => output }
}

t.test('serves an issuer and prints commands that work unchanged', async t => {
  const audience = 'https://receipts.example.com'
  const { child, said } = start(t, [
    '--audience',
    audience,
    '--scope',
    'a b',
    '--scope',
    'c',
    '--subject',
    'ada',
  ])
  while (!said().includes('curl -u')) await once(child.stdout!, 'data')
  const find = (pattern: RegExp): string => pattern.exec(said())?.[1] ?? ''
  const jwks = createRemoteJWKSet(new URL(find(/^keys +(\S+)/m)))
  const { payload } = await jwtVerify(find(/Bearer ([^']+)/), jwks, {
    audience,
    issuer: find(/^issuer +(\S+)/m),
  })
  t.match(payload, { sub: 'ada', scope: 'a b c' })

  const [, credentials = '', body = '', url = ''] = /curl -u '([^']+)' -d '([^']+)' (\S+)/.exec(said()) ?? []
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body,
  })
  t.match(await response.json(), { token_type: 'Bearer', scope: 'a b c' })
  child.kill('SIGINT')
  t.strictSame(await once(child, 'close'), [0, null])
})

t.test('the commands work in a shell with any client, secret and URL', async t => {
  const client = ['--client-id', "it's me", '--client-secret', 'a+b%:$c']
  const { said, child } = start(t, ['--audience', 'a', ...client, '--api', 'http://x/?a=1&b=2'])
  while (!said().includes('curl -u')) await once(child.stdout!, 'data')
  t.match(said(), / 'http:\/\/x\/\?a=1&b=2'\n/)
  const [line = ''] = /curl -u .*/.exec(said()) ?? []
  const { stdout } = spawnSync('sh', ['-c', line.replace('curl', `printf '%s\\n'`)], { encoding: 'utf8' })
  const [, credentials = '', , body = '', url = ''] = stdout.split('\n')
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(credentials)}` },
    body: new URLSearchParams(body),
  })
  t.equal(response.status, 200)
})

for (const [args, message] of [
  [[], /add --audience/],
  [['--audience', 'a', '--profile', 'azure'], /`profile` is "azure"; expected 'rfc9068'/],
  [['--audience', 'a', '--port', 'x'], /`port`/],
  [['--audience', 'a', '--expires-in-ms', '5m'], /`expiresInMs` is NaN; expected a number of milliseconds/],
  [
    ['--audience', 'a', '--client-secret', ''],
    /client test-client: option `clientSecret` is ""; expected text/,
  ],
  [['--what'], /Unknown option '--what'/],
] as const)
  t.test(`rejects the arguments: ${args.join(' ') || '(none)'}`, async t => {
    const { child, said } = start(t, args)
    const [code] = (await once(child, 'close')) as [number]
    t.equal(code, 1)
    t.match(said(), message)
  })
