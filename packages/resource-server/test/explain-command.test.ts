import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createTestIssuer } from 'oauth-test-issuer'
import type { Explanation } from 'fastify-resource-server'
import { audience } from './protected-app.js'

const command = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function run(args: readonly string[], input = ''): Promise<Run> {
  // A command that hangs is ended, so that the test fails and shows what it had printed.
  const child = spawn(process.execPath, [command, ...args], { env: {}, timeout: 60_000 })
  const exit = new Promise<number | null>(resolve => child.on('close', resolve))
  child.stdin.on('error', () => {}) // it may end without reading
  child.stdin.end(input)
  const [code, out, err] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
  return { code, out, err }
}

t.test('explains a token from standard input without printing it', async t => {
  const issuer = await createTestIssuer({ profile: 'keycloak', audience })
  t.teardown(() => issuer.close())
  const token = await issuer.token({ audience, scopes: ['read'] })
  const signature = token.split('.').at(-1) ?? ''
  const given = ['explain', '--issuer', issuer.url, '--audience', audience]

  const refused = await run(given, token)
  t.strictSame([refused.code, refused.err], [1, ''])
  t.match(refused.out, /^failed +typ +typ "jwt"$/m)
  t.match(refused.out, /^ {2}option: profile$/m)
  t.match(refused.out, /set `profile: 'keycloak'`/)
  t.match(refused.out, /^passed +signature/m)
  t.match(refused.out, /The token is refused: type\.\n$/)

  const accepted = await run([...given, '--profile', 'keycloak', '--scope', 'read'], `\n${token}\n`)
  t.strictSame([accepted.code, accepted.err], [0, ''])
  t.match(accepted.out, /The token is accepted\.\n$/)

  const weak = await run([...given, '--profile', 'keycloak', '--scope', 'read write', '--json'], token)
  const { reason, checks } = JSON.parse(weak.out) as Explanation
  t.strictSame([weak.code, reason], [1, 'scope'])
  t.ok(checks.length > 15)

  const jwks = await run([...given, '--profile', 'keycloak', '--jwks-uri', `${issuer.url}/nowhere`], token)
  t.match(jwks.out, /^failed +key[^]*nowhere[^]*`jwksUri`/m)
  const byRole = [...given, '--profile', 'keycloak', '--scope', 'write', '--role']
  const allowed = await run([...byRole, 'default-roles-test'], token)
  t.strictSame([allowed.code, allowed.err], [0, ''])
  t.equal((await run([...byRole, 'writer'], token)).code, 1)

  for (const { out } of [refused, accepted, weak, jwks, allowed])
    for (const secret of [token, signature, token.slice(0, 40)]) t.notOk(out.includes(secret))
})

t.test('checks the claims even if the issuer is unreachable', async t => {
  const issuer = await createTestIssuer({ audience })
  const token = await issuer.token({ audience: 'https://other.example.com' })
  await issuer.close()
  const { code, out } = await run(['explain', '--issuer', issuer.url, '--audience', audience], token)
  t.equal(code, 1)
  t.match(out, /^failed +audience[^]*^failed +key[^]*could not be fetched[^]*^not reached +signature/m)
  t.match(out, /The token is refused: audience\.\n$/)
})

t.test('exits with 2 for invalid arguments, including a token as argument', async t => {
  const given = ['explain', '--issuer', 'https://login.example.com', '--audience', audience]
  for (const [args, message] of [
    [[], /the command is missing/],
    [['explian'], /the command is missing/],
    [['explain'], /--issuer is missing/],
    [given.slice(0, 3), /--audience is missing/],
    [[...given, 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'], /standard input/],
    [[...given, '--token', 'x'], /Unknown option '--token'/],
    [given, /no token was given/],
    [[...given, '--scope', ''], /--scope is empty/],
    [[...given, '--scope', 'read', '--scope', ' '], /--scope is empty/],
    [[...given, '--role', ''], /--role is empty/],
    [[...given, '--issuer', ''], /--issuer is empty/],
    [[...given, '--audience', ''], /--audience is empty/],
    [[...given, '--profile', ''], /--profile is empty/],
    [[...given, '--jwks-uri', ''], /--jwks-uri is empty/],
    [[...given, '--profile', 'keycloack'], /option `profile`.*keycloack/],
    [[...given, '--issuer', 'http://login.example.com'], /option `issuer`/],
  ] as const) {
    const { code, out, err } = await run(args, args === given ? ' \n' : 'a.b.c')
    t.strictSame([code, out], [2, ''], String(message))
    t.match(err, message)
    t.match(err, 'Exit code: 0')
    t.notMatch(err, 'c2ln')
  }
  const help = await run(['--help'])
  t.strictSame([help.code, help.err], [0, ''])
  t.match(help.out, /--allow-insecure-http/)
})
