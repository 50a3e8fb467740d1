import fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import resourceServer, { type ResourceServerOptions } from 'fastify-resource-server'
import {
  makeKey,
  signRaw,
  startHandMadeIssuer,
  type HandMadeIssuer,
  type SigningKey,
} from './hand-made-issuer.js'

export const audience = 'https://api.example.com'

/** Options with the key at hand: no issuer is asked. */
export const registered = {
  issuer: 'https://login.example.com',
  audience,
  keys: [makeKey('first').jwk],
  scopes: ['read', 'write'],
} satisfies ResourceServerOptions

/** An application with nothing in it, which ends with the test. */
export function buildApp(t: Test): FastifyInstance {
  const app = fastify()
  t.teardown(() => app.close())
  return app
}

/** A clock that stands still until it is moved. */
export interface Clock {
  now: number
}

export interface Bench {
  readonly app: FastifyInstance
  readonly issuer: HandMadeIssuer
  readonly key: SigningKey
  readonly clock: Clock
  readonly logged: Record<string, unknown>[]
  claims(changes?: Record<string, unknown>): Record<string, unknown>
  header(changes?: Record<string, unknown>): Record<string, unknown>
  /** A token with these changes, signed properly. */
  token(changes?: Record<string, unknown>, header?: Record<string, unknown>, key?: SigningKey): string
  /** GET /read with this as the whole Authorization header. */
  send(authorization: string | undefined, url?: string): Promise<LightMyRequestResponse>
  call(token: string, url?: string): Promise<LightMyRequestResponse>
  /** The reason of the last refusal in the log. */
  lastReason(): unknown
}

/** An application with one protected route, its issuer, and a way to make tokens that are right but for one thing. */
export async function startBench(
  t: Test,
  options: Partial<ResourceServerOptions> = {},
  key: SigningKey = makeKey('first'),
): Promise<Bench> {
  const issuer = await startHandMadeIssuer(t, [key])
  const clock: Clock = { now: 1_800_000_000_000 }
  const logged: Record<string, unknown>[] = []
  const app = fastify({
    logger: {
      level: 'info',
      stream: { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
    },
  })
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    issuer: issuer.url,
    audience,
    scopes: ['read', 'write'],
    clock: () => clock.now,
    ...options,
  })
  app.get('/read', { config: { oauth: { scopes: ['read'] } } }, async ({ auth }) => ({ ...auth }))
  app.get('/write', { config: { oauth: { scopes: ['write'] } } }, async () => 'written')
  app.get('/any', async () => 'any')
  app.get('/files/*', async () => 'a file')
  app.get('/public', { config: { oauth: false } }, async () => 'public')
  await app.ready()

  const seconds = (): number => Math.floor(clock.now / 1000)
  const bench: Bench = {
    app,
    issuer,
    key,
    clock,
    logged,
    claims: changes => ({
      iss: issuer.url,
      aud: audience,
      sub: 'payment',
      client_id: 'payment',
      iat: seconds(),
      exp: seconds() + 300,
      jti: 'one',
      scope: 'read',
      ...changes,
    }),
    header: changes => ({ alg: key.algorithm, typ: 'at+jwt', kid: key.kid, ...changes }),
    token: (changes, header, by = key) =>
      signRaw(bench.header({ alg: by.algorithm, kid: by.kid, ...header }), bench.claims(changes), by),
    send: (authorization, url = '/read') =>
      app.inject({ url, headers: authorization === undefined ? {} : { authorization } }),
    call: (token, url) => bench.send(`Bearer ${token}`, url),
    lastReason: () =>
      logged.findLast(line => line['reason'] !== undefined && line['msg'] === 'access refused')?.['reason'],
  }
  return bench
}
