import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { audience, clientId, clientSecret, scope, startApi, startClient } from './service.js'

// Debian's packages belong to Debian's interpreter.
const python = '/usr/bin/python3'
const isInstalled = spawnSync(python, ['-c', 'import authlib.integrations.flask_oauth2']).status === 0
const skip = isInstalled ? false : 'python3-authlib and python3-flask are not installed'
// Relative to the compiled test.
const script = fileURLToPath(new URL('../../test/servers/authlib-server.py', import.meta.url))

const keyClient = randomUUID()
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

interface Authlib {
  readonly issuer: string
  readonly rotate: () => Promise<unknown>
  /** Kills the server, or starts it again at the same port. */
  readonly stop: () => Promise<unknown>
  readonly start: () => Promise<unknown>
}

/** Authlib (Python). It does not decode Basic credentials, and expects assertions for the token endpoint. */
async function startAuthlib(t: Test): Promise<Authlib> {
  const settings = {
    clientId,
    clientSecret,
    keyClientId: keyClient,
    publicKey: publicKey.export({ format: 'jwk' }),
    scope,
  }
  let server: ChildProcess
  const launch = async (port: number): Promise<number> => {
    server = spawn(python, [script, JSON.stringify({ ...settings, port })], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { AUTHLIB_INSECURE_TRANSPORT: '1' }, // plain http on loopback
    })
    const [line] = (await Promise.race([
      once(server.stdout!, 'data'),
      once(server, 'exit').then(() => Promise.reject(new Error('the server does not start'))),
    ])) as [Buffer]
    return Number(line.toString())
  }
  const stop = async (): Promise<void> => {
    const ended = server.exitCode ?? server.signalCode ?? once(server, 'exit')
    server.kill('SIGKILL')
    await ended
  }
  t.teardown(stop)
  const port = await launch(0)
  const issuer = `http://127.0.0.1:${port}`
  const rotate = (): Promise<unknown> => fetch(`${issuer}/rotate`, { method: 'POST' })
  return { issuer, rotate, stop, start: () => launch(port) }
}

const secret = { clientSecret }
const key = { clientId: keyClient, privateKey, assertionAudience: 'token_endpoint' as const }

t.test('with Authlib', { skip }, async t => {
  const server = await startAuthlib(t)
  const { issuer } = server
  const signed = { issuer, audience }

  await t.test('accepts signed tokens, requested with a secret and with a key', async t => {
    const api = await startApi(t, { issuer, profile: 'generic' })
    for (const credentials of [
      secret,
      { ...secret, clientAuthentication: 'client_secret_post' as const },
      key,
    ])
      t.equal(await startClient(t, api.url, { ...signed, ...credentials }).get(), 200)
    t.strictSame(api.refusals, [])
  })

  await t.test('names the option when the server expects another audience of assertions', async t => {
    const { client } = startClient(t, 'https://receipts.example.com', {
      ...signed,
      ...key,
      assertionAudience: 'issuer',
    })
    await t.rejects(client.getToken(), {
      code: 'TOKEN_CLIENT_REJECTED',
      error: 'invalid_client',
      errorDescription: /setting assertionAudience to 'token_endpoint'/,
    } as never)
  })

  await t.test('reports a wrong secret as a rejection, and fetches a rotated one', async t => {
    const { client } = startClient(t, 'https://receipts.example.com', { issuer, clientSecret: 'wrong' })
    await t.rejects(client.getToken(), { code: 'TOKEN_CLIENT_REJECTED', error: 'invalid_client' } as never)
    const secrets = ['replaced', clientSecret]
    const rotated = startClient(t, 'https://receipts.example.com', {
      issuer,
      clientSecret: () => secrets.shift() ?? clientSecret,
    })
    t.match((await rotated.client.getToken()).accessToken, /^opaque-/)
  })

  await t.test('refuses signed tokens without the type that RFC 9068 requires', async t => {
    const api = await startApi(t, { issuer })
    t.equal(await startClient(t, api.url, { ...signed, ...secret }).get(), 401)
    t.match(api.refusals[0], /^type: /)
  })

  await t.test('accepts opaque tokens, whose introspection response has no aud', async t => {
    const strict = await startApi(t, { issuer, introspection: { clientId, clientSecret } })
    t.equal(await startClient(t, strict.url, { issuer, ...secret }).get(), 401)
    t.match(strict.refusals[0], /^claim: .*introspection\.acceptWithout: \['aud'\]/)
    for (const credentials of [{ clientId, clientSecret }, key]) {
      const introspection = { ...credentials, acceptWithout: ['aud' as const] }
      const api = await startApi(t, { issuer, introspection })
      t.equal(await startClient(t, api.url, { issuer, ...secret }).get(), 200)
      t.strictSame(api.refusals, [])
    }
  })

  await t.test('accepts tokens with a new key immediately', async t => {
    const api = await startApi(t, { issuer, profile: 'generic' })
    t.equal(await startClient(t, api.url, { ...signed, ...secret }).get(), 200)
    await server.rotate()
    t.equal(await startClient(t, api.url, { ...signed, ...secret }).get(), 200)
    t.strictSame(api.refusals, [])
  })

  await t.test('survives an outage with cached tokens and keys', async t => {
    const api = await startApi(t, { issuer, profile: 'generic' })
    const { client, clock, get } = startClient(t, api.url, { ...signed, ...secret })
    t.equal(await get(), 200)
    await server.stop()
    t.equal(await get(), 200)
    clock.ahead = 2 * 3_600_000
    await t.rejects(client.getToken(), { code: 'TOKEN_CLIENT_UNAVAILABLE' })
    await server.start()
    clock.ahead += 60_000
    t.equal(await get(), 200, 'with a token that is signed with a key of the new process')
  })
})
