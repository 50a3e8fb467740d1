import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { usualPorts } from '#src/config.js'
import { loadConfig } from '#src/load-config.js'
import { tryItYourself } from '#src/try-it.js'
import { pageWithReceipt, startBuying } from './buyer.js'
import { openShop } from './open-shop.js'

const run = promisify(execFile)
const curl = await run('curl', ['--version']).then(
  () => ({}),
  () => ({ skip: 'curl is not installed' }),
)

t.test('the three commands give the expected answers and appear on the page', curl, async t => {
  const { url, config } = await openShop(t)
  const order = (await (await startBuying(url)).pay('test_visa')).headers.get('location') ?? ''
  await pageWithReceipt(url + order)
  const { attempts = [], secret = '' } = tryItYourself(config) ?? {}
  const answers: string[] = []
  for (const { command } of attempts) answers.push((await run('sh', ['-c', command])).stdout)
  const [without = '', withToken = '', other = ''] = answers

  t.match(without, /^HTTP\/1\.1 401 [^]*www-authenticate: Bearer\r\n/)
  t.match(withToken, /^HTTP\/1\.1 200 [^]*"number":"HQ-\d{4}-000001","paymentId":"/)
  t.match(withToken, order.split('/')[2])
  t.match(other, /^HTTP\/1\.1 401 [^]*error="invalid_token"/)

  const live = await (await fetch(`${url}/live`)).text()
  for (const { command } of attempts)
    t.match(
      live,
      command.replaceAll('"', '&quot;').replaceAll("'", '&#39;').split('\n')[0],
      'the page shows the command',
    )
  const rows = live.slice(live.indexOf('<token-flow'), live.indexOf('</token-flow>'))
  t.match(rows, 'Your command calls the receipt service without a token')
  t.match(
    rows,
    'Your command asks the issuer for an access token by the Client Credentials Grant, and proves',
  )
  t.match(rows, 'Basic visitor:•••')
  t.match(rows, /client_id<\/code><\/dt><dd><code>visitor/, 'the token that it got, decoded')
  t.match(rows, 'refuses the token: it was issued for another service (audience)')
  t.notMatch(rows, secret, 'the secret is only shown in the commands')
})

t.test('the page shows the error of a wrong token request', curl, async t => {
  const { url, config } = await openShop(t)
  const { clientId, secret } = config.authorizationServer.visitor
  const ask = async (password: string, fields: Record<string, string>): Promise<object> => {
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...fields }).toString()
    const address = `${config.authorizationServer.issuer}/token`
    const { stdout } = await run('curl', ['-s', '-u', `${clientId}:${password}`, '-d', form, address])
    return JSON.parse(stdout) as object
  }
  const resource = config.receipts.audience
  for (const [password, fields, error] of [
    ['wrong', { scope: 'receipts:read', resource }, 'invalid_client'],
    [secret, { scope: 'receipts:write', resource }, 'invalid_scope'],
    [secret, { scope: 'receipts:read', resource: 'https://bank.example' }, 'invalid_target'],
    [secret, {}, 'invalid_target'],
  ] as const) {
    t.match(await ask(password, { ...fields }), { error })
    t.match(await (await fetch(`${url}/live`)).text(), `<strong>${error}</strong>: `)
  }
  t.match(await ask(secret, { scope: 'payments:read' }), { scope: 'payments:read' })
})

const at = (port: number): string => `http://127.0.0.1:${port}`

t.test('each address redirects to its documentation, and Authorize works there', async t => {
  const { config } = await openShop(t)
  const { authorizationServer, payments, receipts } = config
  for (const [{ port }, path] of [
    [payments, '/docs'],
    [receipts, '/docs'],
    [authorizationServer, '/.well-known/openid-configuration'],
  ] as const) {
    const { status, headers } = await fetch(at(port), { redirect: 'manual' })
    t.strictSame([status, headers.get('location')], [302, path])
  }
  const docs = await fetch(`${at(receipts.port)}/docs`)
  t.match(docs.headers.get('content-security-policy'), `connect-src 'self' ${authorizationServer.issuer};`)
  const initializer = await fetch(`${at(receipts.port)}/docs/static/swagger-initializer.js`)
  t.match(await initializer.text(), /"clientId":"visitor","scopes":\["receipts:read"\]/)

  const { clientId, secret } = authorizationServer.visitor
  const from = (origin: string) =>
    fetch(`${authorizationServer.issuer}/token`, {
      method: 'POST',
      headers: { origin, authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'receipts:read' }),
    })
  const own = await from(at(receipts.port))
  t.equal(own.headers.get('access-control-allow-origin'), at(receipts.port))
  t.equal((await from('https://elsewhere.example')).headers.get('access-control-allow-origin'), null)
})

t.test('an external issuer has no client for visitors', async t => {
  const env = { ISSUER: 'https://login.example.com', AUDIENCE: 'a', CLIENT_ID: 'c', CLIENT_SECRET: 's' }
  t.equal(tryItYourself(loadConfig(usualPorts, env)), undefined)
})
