import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import resourceServer, { type IssuerOptions } from 'fastify-resource-server'
import { makeCertificate } from 'test-support/certificate'
import { askInTurn } from '#src/introspection/ask-in-turn.js'
import { makeKey, signRaw } from './hand-made-issuer.js'
import { active, startOpaque, type OpaqueIssuer } from './opaque-issuer.js'
import { audience } from './protected-app.js'

interface Api {
  readonly app: FastifyInstance
  status(token: string): Promise<number>
  /** What the last refusal in the log says. */
  refusal(): Record<string, unknown> | undefined
}

async function protect(
  t: Test,
  opaques: readonly OpaqueIssuer[],
  more: IssuerOptions[] = [],
  issuerTimeoutMs = 5_000,
): Promise<Api> {
  const logged: Record<string, unknown>[] = []
  const stream = { write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>) }
  const app = fastify({ logger: { level: 'info', stream } })
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    clock: () => opaques[0]?.clock.now ?? 0,
    issuerTimeoutMs,
    issuers: [
      ...opaques.map(({ url }, index) => ({
        issuer: url,
        audience,
        introspection: { clientId: `client-${index}`, clientSecret: `secret-${index}` },
      })),
      ...more,
    ],
  })
  app.get('/', async ({ auth }) => auth)
  return {
    app,
    refusal: () => logged.findLast(line => line['msg'] === 'access refused'),
    status: async token =>
      (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode,
  }
}

const tokensAt = ({ questions }: OpaqueIssuer): (string | undefined)[] =>
  questions.map(({ form }) => form['token'])

const fail = (response: ServerResponse): void => void response.writeHead(500).end('{}')

t.test('asks issuers in the configured order until one reports the token as active', async t => {
  const [first, second, third] = [await startOpaque(t), await startOpaque(t), await startOpaque(t)]
  const api = await protect(t, [first, second, third])
  second.answers.set('of-second', active(second))
  t.equal(await api.status('of-second'), 200)
  t.same([first, second, third].map(tokensAt), [['of-second'], ['of-second'], []])
  t.same(
    [first, second].map(({ questions }) => questions[0]?.authorization),
    ['client-0:secret-0', 'client-1:secret-1'].map(text => `Basic ${Buffer.from(text).toString('base64')}`),
    'each with its own credentials',
  )
  t.equal(await api.status('of-second'), 200)
  t.equal(second.questions.length, 1, 'the answer is cached')

  first.clock.now += 10_001
  t.equal(await api.status('of-second'), 200)
  t.same([first, second].map(tokensAt), [['of-second'], ['of-second', 'of-second']], 'its issuer is known')

  first.clock.now += 10_001
  second.answers.set('of-second', { active: false })
  t.equal(await api.status('of-second'), 401, 'revoked')
  t.same(api.refusal()?.['detail'], 'no issuer reports the token as active')
})

t.test('sends one request to each issuer for concurrent requests with one token', async t => {
  const [first, second] = [await startOpaque(t), await startOpaque(t)]
  const api = await protect(t, [first, second])
  second.answers.set('of-second', active(second))
  const answers = await Promise.all(Array.from({ length: 5 }, () => api.status('of-second')))
  t.same(answers, [200, 200, 200, 200, 200])
  t.same([first, second].map(tokensAt), [['of-second'], ['of-second']])
})

t.test('accepts tokens of an issuer during an outage of another one', async t => {
  const [first, second] = [await startOpaque(t), await startOpaque(t)]
  const api = await protect(t, [first, second])
  for (const token of ['one', 'two']) {
    first.answers.set(token, fail)
    second.answers.set(token, active(second))
    t.equal(await api.status(token), 200, token)
  }
  t.same(tokensAt(first), ['one'], 'an issuer that fails is asked last')
})

t.test('applies one time limit to all issuers together', async t => {
  const opaques = await Promise.all(Array.from({ length: 20 }, () => startOpaque(t)))
  for (const { answers } of opaques) answers.set('opaque', () => {})
  const api = await protect(t, opaques, [], 200)
  const startedAt = performance.now()
  t.equal(await api.status('opaque'), 503)
  t.ok(performance.now() - startedAt < 2_000, 'not 20 times as long')
  t.match(api.refusal(), { reason: 'unavailable' })
})

t.test('leaves time for the next issuer if one hangs', async t => {
  const [first, second] = [await startOpaque(t), await startOpaque(t)]
  const api = await protect(t, [first, second], [], 1_000)
  first.answers.set('opaque', () => {})
  second.answers.set('opaque', active(second))
  t.equal(await api.status('opaque'), 200)
})

t.test('calls functions in turn within one time limit', async t => {
  type Answer = 'yes' | 'no'
  const asked: string[] = []
  const question = (name: string, answer: Promise<Answer>) => async () => {
    asked.push(name)
    return answer
  }
  const hangs = new Promise<Answer>(() => {})
  const yes = Promise.resolve<Answer>('yes')
  const no = Promise.resolve<Answer>('no')
  const isYes = (answer: Answer): boolean => answer === 'yes'
  const ask = (...answers: Promise<Answer>[]): Promise<readonly Answer[]> => {
    asked.length = 0
    return askInTurn(
      answers.map((answer, index) => question(`${index}`, answer)),
      isYes,
      20,
    )
  }

  t.same(
    [await ask(no, yes, yes), asked],
    [
      ['no', 'yes'],
      ['0', '1'],
    ],
  )
  t.same(
    [await ask(no, no), asked],
    [
      ['no', 'no'],
      ['0', '1'],
    ],
  )
  t.same([await ask(hangs, yes), asked], [['yes'], ['0', '1']])
  t.same([await ask(hangs, no, hangs), asked], [['no'], ['0', '1', '2']])
  t.same(await ask(), [])

  const late = new Promise<Answer>(resolve => setTimeout(resolve, 5, 'yes'))
  const answers = askInTurn([question('0', late), question('1', hangs), question('2', yes)], isYes, 60_000)
  t.same(await answers, ['yes'], 'the answer that decides ends the waiting')
  await t.rejects(askInTurn([() => Promise.reject(new Error('broken'))], isYes, 60_000), {
    message: 'broken',
  })

  const broken = new Error('broken')
  const throws = (): never => {
    throw broken
  }
  await t.rejects(askInTurn([throws], isYes, 60_000), broken, 'a function that throws at once')
  await t.rejects(
    askInTurn([question('0', hangs), throws], isYes, 20),
    broken,
    'also when the timer calls it',
  )
  await t.rejects(
    askInTurn([question('0', no), question('1', no)], throws, 60_000),
    broken,
    '`decides` throws',
  )
})

t.test('responds with 503 if one issuer reports inactive and another one is unavailable', async t => {
  const [first, second] = [await startOpaque(t), await startOpaque(t)]
  const api = await protect(t, [first, second])
  for (const [down, up] of [
    [first, second],
    [second, first],
  ] as const) {
    down.answers.set('opaque', fail)
    up.answers.set('opaque', { active: false })
    t.equal(await api.status('opaque'), 503)
    t.match(api.refusal(), { reason: 'unavailable', issuer: down.url })
  }
  second.answers.set('opaque', active(second))
  t.equal(await api.status('opaque'), 200, 'it ends with the outage')
})

t.test('refuses a response that names another issuer', async t => {
  const [first, second] = [await startOpaque(t), await startOpaque(t)]
  const api = await protect(t, [first, second])
  first.answers.set('brokered', active(second))
  t.equal(await api.status('brokered'), 401, 'an issuer vouches for its own tokens only')
  t.match(api.refusal(), { reason: 'issuer' })
  second.answers.set('brokered', active(second))
  t.equal(await api.status('brokered'), 200, 'its own issuer is asked too')
  second.answers.set('brokered-2', fail)
  first.answers.set('brokered-2', active(second))
  t.equal(await api.status('brokered-2'), 503)
})

t.test('uses the response of the issuer that reports active, and asks no other one', async t => {
  const [first, second] = [await startOpaque(t), await startOpaque(t)]
  const api = await protect(t, [first, second])
  first.answers.set('opaque', active(first, { aud: 'https://other.example.com' }))
  second.answers.set('opaque', active(second))
  t.equal(await api.status('opaque'), 401)
  t.equal(api.refusal()?.['reason'], 'audience')
  t.equal(second.questions.length, 0)
})

t.test('limits requests for each issuer separately', async t => {
  const [first, second] = [await startOpaque(t), await startOpaque(t)]
  const api = await protect(t, [first, second])
  const held: ServerResponse[] = []
  const flood = Array.from({ length: 100 }, (_, index) => {
    const token = `invented-${index}`
    first.answers.set(token, response => void held.push(response))
    return api.status(token)
  })
  while (held.length < 100) await new Promise(resolve => setImmediate(resolve))
  second.answers.set('of-second', active(second))
  t.equal(await api.status('of-second'), 200)
  t.notOk(tokensAt(first).includes('of-second'))
  t.equal(await api.status('of-nobody'), 503, 'the first issuer may know it')
  t.match(api.refusal(), {
    detail: 'introspection: 100 requests for new tokens are already in flight',
    issuer: first.url,
  })
  for (const response of held) response.end('{"active":false}')
  t.same(new Set(await Promise.all(flood)), new Set([401]))
})

t.test('verifies JWTs locally, and sends no token to issuers without introspection', async t => {
  const opaque = await startOpaque(t)
  const key = makeKey('first')
  const other = { issuer: 'https://sso.example.com', audience, keys: [key.jwk] }
  const api = await protect(t, [opaque], [other])
  const seconds = opaque.clock.now / 1000
  const claims = { iss: other.issuer, aud: audience, sub: 'a', client_id: 'b', jti: 'c', iat: seconds }
  const jwt = signRaw(
    { alg: key.algorithm, typ: 'at+jwt', kid: key.kid },
    { ...claims, exp: seconds + 60 },
    key,
  )
  t.equal(await api.status(jwt), 200)
  t.equal(opaque.questions.length, 0)
  opaque.answers.set('opaque', active(opaque))
  t.equal(await api.status('opaque'), 200)
  t.equal(await api.status('unknown'), 401)
  t.match(api.refusal(), { reason: 'inactive', issuer: opaque.url })
})

/** An introspection endpoint over TLS that knows no token, and notes which certificate each connection presents. */
async function startTlsIssuer(t: Test, name: string) {
  const { key, cert } = await makeCertificate(name)
  const presented: unknown[] = []
  const server = createServer({ key, cert, requestCert: true, rejectUnauthorized: false })
  server.on('secureConnection', (socket: TLSSocket) => {
    presented.push(socket.getPeerCertificate().subject?.CN)
  })
  server.on('request', (_request, response) => response.end('{"active":false}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, cert, presented }
}

t.test('presents the configured certificate to each issuer', async t => {
  const names = ['first', 'second', 'third']
  const issuers = await Promise.all(names.map(name => startTlsIssuer(t, name)))
  const clients = await Promise.all(names.map(name => makeCertificate(`client of ${name}`)))
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(resourceServer, {
    prefetch: 'lazy',
    ca: issuers.map(({ cert }) => cert).join('\n'),
    issuers: issuers.map(({ url }, index) => ({
      issuer: url,
      audience,
      introspection: {
        clientId: 'api',
        endpoint: `${url}/introspect`,
        ...(index === 2
          ? { clientSecret: 'secret-text' }
          : {
              clientAuthentication: 'tls_client_auth' as const,
              certificate: clients[index]?.cert ?? '',
              privateKey: clients[index]?.key ?? '',
            }),
      },
    })),
  })
  app.get('/', async () => 'in')
  const { statusCode } = await app.inject({ url: '/', headers: { authorization: 'Bearer opaque' } })
  t.equal(statusCode, 401)
  t.same(
    issuers.map(({ presented }) => presented),
    [['client of first'], ['client of second'], [undefined]],
  )
})
