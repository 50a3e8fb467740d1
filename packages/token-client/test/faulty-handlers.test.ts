import { createServer } from 'node:http'
import { setImmediate as nextTick } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Agent, type Dispatcher } from 'undici'
import { listen } from 'test-support/listen'
import { clientOf, startApi } from './calling.js'
import { startTokenEndpoint, type HandMadeEndpoint } from './token-endpoint.js'

// undici contains what a handler throws. Where the client calls handlers itself, after the wait for a token and after a
// 401, the outcome has to be the same: one `onResponseError`, and never an unhandled rejection, which ends the process.

const callbacks = [
  'onRequestStart',
  'onResponseStart',
  'onResponseData',
  'onResponseEnd',
  'onResponseError',
  'none',
] as const
type Callback = (typeof callbacks)[number]

/** A handler that notes what it is told, and throws in one of its callbacks. */
function faultyHandler(faulty: Callback): {
  handler: Dispatcher.DispatchHandler
  told: string[]
  over: Promise<void>
} {
  const told: string[] = []
  let resolve: (() => void) | undefined
  const over = new Promise<void>(settled => (resolve = settled))
  const callback = (name: Callback) => (): void => {
    told.push(name)
    if (name === 'onResponseEnd' || name === 'onResponseError') resolve?.()
    if (name === faulty) throw new Error(`thrown in ${name}`)
  }
  const handler = {
    onRequestStart: callback('onRequestStart'),
    onResponseStart: callback('onResponseStart'),
    onResponseData: callback('onResponseData'),
    onResponseEnd: callback('onResponseEnd'),
    onResponseError: callback('onResponseError'),
  }
  return { handler, told, over }
}

/** Notes what would end the process. */
function watchProcess(t: Test): unknown[] {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  return unhandled
}

/** Lets rejections surface. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await nextTick()
}

type Situation = 'a cached token' | 'no token yet' | 'a 401 and no other token' | 'a 401 and another token'

async function clientIn(t: Test, situation: Situation, url: string, dispatcher?: Dispatcher) {
  const endpoint: HandMadeEndpoint = await startTokenEndpoint(t)
  const client = clientOf(t, endpoint, url, dispatcher && { dispatcher })
  if (situation !== 'no token yet') await client.getToken()
  if (situation === 'a 401 and no other token')
    endpoint.behave = response => void response.writeHead(503).end()
  return client
}

const refusesFirst =
  (situation: Situation) =>
  (authorization: string | undefined): number =>
    situation === 'a 401 and no other token' ||
    (situation === 'a 401 and another token' && authorization === 'Bearer token-1')
      ? 401
      : 200

for (const situation of [
  'a cached token',
  'no token yet',
  'a 401 and no other token',
  'a 401 and another token',
] as const)
  for (const faulty of callbacks)
    t.test(`${situation}: a handler that throws in ${faulty} receives one error`, async t => {
      const unhandled = watchProcess(t)
      const statusFor = refusesFirst(situation)
      const api = await startApi(t, ({ headers }, response) =>
        response.writeHead(statusFor(headers.authorization)).end('text'),
      )
      const client = await clientIn(t, situation, api.url)
      const { handler, told, over } = faultyHandler(faulty)
      const call = { origin: api.url, path: '/', method: 'GET' } as const
      // A dispatcher may throw what `onRequestStart` or `onResponseError` throws at once.
      t.doesNotThrow(() => client.dispatcher.dispatch(call, handler))
      await over
      await settle()
      t.strictSame(unhandled, [])
      const ends = told.filter(name => name === 'onResponseEnd' || name === 'onResponseError')
      const throwsBefore = faulty !== 'none' && faulty !== 'onResponseError'
      t.equal(ends.filter(name => name === 'onResponseError').length, throwsBefore ? 1 : 0, told.join())
      t.equal(told.at(-1), throwsBefore ? 'onResponseError' : 'onResponseEnd')
    })

for (const faulty of ['onRequestStart', 'onResponseError'] as const)
  t.test(`a request to another origin: a handler that throws in ${faulty} receives one error`, async t => {
    const unhandled = watchProcess(t)
    const client = await clientIn(t, 'a cached token', 'https://receipts.example.com')
    const { handler, told } = faultyHandler(faulty)
    client.dispatcher.dispatch({ origin: 'https://elsewhere.example', path: '/', method: 'GET' }, handler)
    await settle()
    t.strictSame(told, ['onRequestStart', 'onResponseError'])
    t.strictSame(unhandled, [])
  })

for (const situation of ['no token yet', 'a 401 and another token'] as const)
  t.test(`${situation}: an abort whose onResponseError throws ends the call`, async t => {
    const unhandled = watchProcess(t)
    const endpoint = await startTokenEndpoint(t)
    const api = await startApi(t, (_, response) => void response.writeHead(401).end())
    const client = clientOf(t, endpoint, api.url)
    if (situation !== 'no token yet') await client.getToken()
    let askedAgain: (() => void) | undefined
    const asked = new Promise<void>(resolve => (askedAgain = resolve))
    endpoint.behave = () => askedAgain?.() // never answers
    const { handler, told, over } = faultyHandler('onResponseError')
    let controller: Dispatcher.DispatchController | undefined
    handler.onRequestStart = given => void (controller = given)
    client.dispatcher.dispatch({ origin: api.url, path: '/', method: 'GET' }, handler)
    await asked
    await settle()
    t.doesNotThrow(() => controller?.abort(new Error('enough')))
    await over
    await settle()
    t.strictSame(told, ['onResponseError'])
    t.strictSame(unhandled, [])
  })

for (const situation of ['a cached token', 'no token yet', 'a 401 and no other token'] as const) {
  t.test(`${situation}: upgrade() to an API that does not upgrade rejects`, async t => {
    const unhandled = watchProcess(t)
    const statusFor = refusesFirst(situation)
    const api = await startApi(t, ({ headers }, response) =>
      response.writeHead(statusFor(headers.authorization)).end('text'),
    )
    const client = await clientIn(t, situation, api.url)
    const upgrade = client.dispatcher.upgrade({ origin: api.url, path: '/', protocol: 'websocket' } as never)
    await t.rejects(upgrade, { code: 'UND_ERR_SOCKET', message: 'bad upgrade' })
    await settle()
    t.strictSame(unhandled, [])
  })

  t.test(`${situation}: stream() with a factory that throws rejects with its error`, async t => {
    const unhandled = watchProcess(t)
    const statusFor = refusesFirst(situation)
    const api = await startApi(t, ({ headers }, response) =>
      response.writeHead(statusFor(headers.authorization)).end('text'),
    )
    const client = await clientIn(t, situation, api.url)
    const streamed = client.stream({ path: '/' }, () => {
      throw new Error('no stream')
    })
    await t.rejects(streamed, { message: 'no stream' })
    await settle()
    t.strictSame(unhandled, [])
  })
}

for (const situation of ['a cached token', 'no token yet', 'a 401 and another token'] as const)
  for (const [how, fault] of Object.entries({
    throws: () => {
      throw new Error('the dispatcher is broken')
    },
    'tells of an error and throws': (handler: Dispatcher.DispatchHandler) => {
      handler.onResponseError?.(undefined as never, new Error('the dispatcher is broken'))
      throw new Error('the dispatcher is broken')
    },
  }))
    t.test(`${situation}: if an inner interceptor ${how}, the call fails once`, async t => {
      const unhandled = watchProcess(t)
      const statusFor = refusesFirst(situation)
      const api = await startApi(t, ({ headers }, response) =>
        response.writeHead(statusFor(headers.authorization)).end('text'),
      )
      const agent = new Agent()
      t.teardown(() => agent.close())
      let sent = 0
      const faultyAt = situation === 'a 401 and another token' ? 2 : 1
      const broken = agent.compose(dispatch => (options, handler) => {
        sent += 1
        return sent === faultyAt ? fault(handler) : dispatch(options, handler)
      })
      const client = await clientIn(t, situation, api.url, broken)
      const streamed = client.stream({ path: '/' }, () => {
        throw new Error('never called')
      })
      await t.rejects(streamed, { message: 'the dispatcher is broken' })
      await settle()
      t.strictSame(unhandled, [])
    })

for (const situation of ['a cached token', 'no token yet', 'a 401 and another token'] as const)
  t.test(`${situation}: a handler that throws in onRequestUpgrade receives one error`, async t => {
    const unhandled = watchProcess(t)
    const endpoint = await startTokenEndpoint(t)
    const statusFor = refusesFirst(situation)
    const server = createServer((_, response) => void response.writeHead(401).end())
    let resolve: (() => void) | undefined
    const over = new Promise<void>(settled => (resolve = settled))
    server.on('upgrade', ({ headers }, socket) => {
      socket.on('error', () => {})
      if (statusFor(headers.authorization) === 401)
        return void socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')
      return void socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      )
    })
    const url = await listen(t, server)
    const client = clientOf(t, endpoint, url)
    if (situation !== 'no token yet') await client.getToken()
    const told: string[] = []
    client.dispatcher.dispatch(
      { origin: url, path: '/', method: 'GET', upgrade: 'x' },
      {
        onRequestStart() {},
        onRequestUpgrade() {
          told.push('onRequestUpgrade')
          throw new Error('thrown in onRequestUpgrade')
        },
        onResponseError() {
          told.push('onResponseError')
          resolve?.()
        },
      },
    )
    await over
    await settle()
    t.strictSame(told, ['onRequestUpgrade', 'onResponseError'])
    t.strictSame(unhandled, [])
  })
