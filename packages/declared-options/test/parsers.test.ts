import { inspect } from 'node:util'
import { generateKeyPairSync } from 'node:crypto'
import { generate } from 'selfsigned'
import t from 'tap'
import {
  boolean,
  callback,
  clock,
  count,
  dispatcher,
  fraction,
  instance,
  listOf,
  milliseconds,
  object,
  oneOf,
  oneOrMore,
  optional,
  parseOptions,
  pem,
  secret,
  shorthand,
  strings,
  takeOptions,
  text,
  url,
  withDefault,
  type Parser,
} from 'declared-options'

const context = { toError: (message: string) => new TypeError(message), subject: 'register' }
const parse = (parser: Parser<unknown>, value: unknown, more: object = {}): unknown =>
  parseOptions({ x: value, ...more }, { x: parser, allowInsecureHttp: optional(boolean()) }, context).x

const { cert } = await generate([{ name: 'commonName', value: 'localhost' }])
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
const functionOf = () => 'secret'
const agent = { dispatch() {}, compose() {} }

/** Composes like undici 8, which passes handlers to interceptors unchanged. undici 7 translates old handlers. */
class Dispatcher {
  dispatch(): boolean {
    throw new Error('nothing may be sent to find out')
  }
  compose(interceptor: (dispatch: () => boolean) => () => boolean): Dispatcher {
    return Object.assign(Object.create(this) as Dispatcher, { dispatch: interceptor(() => this.dispatch()) })
  }
}
class AgentOfUndici8 extends Dispatcher {}

t.test('accepts valid values without changing them', async t => {
  const cases: [name: string, parser: Parser<unknown>, value: unknown, parsed?: unknown][] = [
    ['text', text('a name'), 'payment'],
    ['text with a pattern', text('digits', /^\d+$/), '42'],
    ['text of another script', text('a name'), 'Zahlung 支払い'],
    ['oneOf', oneOf(['a', 'b']), 'b'],
    ['strings', strings('names'), ['a', 'b c']],
    ['no strings', strings('names', { mayBeEmpty: true }), []],
    ['milliseconds', milliseconds(), 0],
    ['milliseconds, the longest timer', milliseconds(), 2 ** 31 - 1],
    ['milliseconds, fractional', milliseconds(), 0.5],
    ['count', count({ max: 5 }), 5],
    ['fraction', fraction(), 0.8],
    ['boolean', boolean(), false],
    ['callback', callback('a function'), functionOf],
    ['dispatcher', dispatcher(), agent],
    ['instance', instance<{ add(): void }>(['add'], 'a store with add'), { add() {} }],
    ['secret', secret('the secret'), 'p@ss\nword'],
    ['secret, as a function', secret('the secret'), functionOf],
    ['certificate', pem('certificate'), cert],
    ['certificates', pem('certificate'), `${cert}\n${cert}`],
    ['private key', pem('private key'), key],
    ['object', object({ a: text('text') }, 'an object'), { a: 'b' }],
    ['listOf', listOf(oneOf(['a', 'b']), 'a list'), ['b', 'a']],
    ['oneOrMore', oneOrMore(text('a name')), ['a', 'b']],
    ['oneOrMore, one', oneOrMore(text('a name')), 'a', ['a']],
    ['shorthand', shorthand(object({ mode: text('mode') }, 'it'), mode => ({ mode })), 'on', { mode: 'on' }],
    ['https', url(), 'https://login.example.com/tenant?p=1#x'],
    ['https with an @ in the path', url(), 'https://login.example.com/@tenant'],
    ['a template', url({ plain: true }), 'https://login.microsoftonline.com/{tenantid}/v2.0'],
    ['http on this machine', url(), 'http://localhost:3000'],
    ['http on this machine, IPv4', url(), 'http://127.8.9.10/'],
    ['http on this machine, IPv6', url(), 'http://[::1]:3000'],
  ]
  for (const [name, parser, value, parsed = value] of cases) t.strictSame(parse(parser, value), parsed, name)
  t.equal(parse(url(), 'http://issuer.example', { allowInsecureHttp: true }), 'http://issuer.example')
})

t.test('rejects invalid values, naming the option, the value received and the value expected', async t => {
  const store = instance<{ add(): void }>(['add'], 'a store with add')
  const cases: [parser: Parser<unknown>, value: unknown, message: RegExp][] = [
    [text('a name'), '', /^option `x` is ""; expected a name$/],
    [text('a name'), ' a', /is " a"; expected a name/],
    [text('a name'), 'a\n', /is "a\\n"/],
    [text('a name'), 7, /is 7;/],
    [text('a name'), 7n, /is 7;/],
    [text('a name'), Symbol('s'), /is Symbol\(s\);/],
    [text('a name'), null, /is null;/],
    [text('digits', /^\d+$/), 'x'.repeat(1_000_000), /^(?!.*x{101})/],
    [text('a name'), 'x'.repeat(2_049), /^option `x` is 2049 characters long; expected at most 2048$/],
    [strings('names'), ['a', 'x'.repeat(2_049)], /^option `x\[1\]` is 2049 characters long/],
    [url(), `https://login.example.com/${'x'.repeat(2_048)}`, /^option `x` is 2074 characters long/],
    [text('digits', /^\d+$/), 'x', /is "x"; expected digits/],
    [oneOf(['a', 'b', 'c']), 'd', /is "d"; expected 'a', 'b' or 'c'/],
    [oneOf(['a']), 'constructor', /expected 'a'/],
    [strings('names'), [], /is \[\]; expected names/],
    [strings('names'), 'a', /is "a"/],
    [strings('names'), ['a', ''], /option `x\[1\]` is ""; expected names/],
    [strings('names'), ['a', undefined], /option `x\[1\]` is undefined/],
    [strings('names', { pattern: /^\w+$/ }), ['a b'], /option `x\[0\]` is "a b"/],
    [strings('names'), Object.assign([], { length: 3 }), /option `x\[0\]` is undefined/],
    [milliseconds(), -1, /is -1; expected a number of milliseconds from 0 to 2147483647/],
    [milliseconds(), Infinity, /is Infinity/],
    [milliseconds(), NaN, /is NaN/],
    [milliseconds(), 2 ** 31, /is 2147483648/],
    [milliseconds(), '5s', /is "5s"/],
    [milliseconds({ min: 1, max: 10 }), 0, /from 1 to 10/],
    [count({ max: 5 }), 6, /is 6; expected a whole number from 0 to 5/],
    [count(), 1.5, /is 1\.5/],
    [count(), '1', /is "1"/],
    [fraction(), 1, /is 1; expected a number between 0 and 1/],
    [fraction(), 0, /is 0/],
    [fraction(), NaN, /is NaN/],
    [boolean(), 'true', /is "true"; expected true or false/],
    [boolean(), 1, /is 1/],
    [boolean(), null, /is null/],
    [callback('a function'), 'f', /is "f"/],
    [clock(), 5, /is 5; expected a function/],
    [clock(), () => NaN, /option `x` returns NaN; expected a function/],
    [clock(), () => '0', /returns "0"/],
    [clock(), async () => 1, /returns a Promise/],
    [
      object({}, 'an object'),
      Promise.resolve({}),
      /is a Promise \(is an `await` missing\?\); expected an object/,
    ],
    [object({}, 'an object'), new Map([['a', 1]]), /is an instance of Map; expected an object/],
    [object({}, 'an object'), new AgentOfUndici8(), /is an instance of AgentOfUndici8; expected an object/],
    [object({}, 'an object'), Object.create({ a: 1 }), /is an object with a custom prototype/],
    [dispatcher(), {}, /option `x` is not a dispatcher from undici 7/],
    [dispatcher(), new AgentOfUndici8(), /option `x` is a dispatcher from another major .*npm i undici@7/],
    [dispatcher(), null, /not a dispatcher/],
    [store, { add: 'no function' }, /is not a store with add/],
    [object({ a: text('text') }, 'an object'), [], /is \[\]; expected an object/],
    [object({ a: text('text') }, 'an object'), null, /is null/],
    [object({ a: text('text') }, 'an object'), {}, /option `x\.a` is missing; expected text/],
    [object({ a: text('text') }, 'an object'), { a: '' }, /option `x\.a` is ""/],
    [object({ mode: text('text') }, 'an object'), { mod: 'a' }, /no option `x\.mod`; did you mean `mode`\?/],
    [listOf(oneOf(['a']), 'a list'), [], /is \[\]; expected a list/],
    [listOf(oneOf(['a']), 'a list'), ['b'], /option `x\[0\]` is "b"/],
    [oneOrMore(text('a name')), [], /is \[\]; expected a name/],
    [url(), 'login.example.com', /is "login\.example\.com"; expected an absolute URL such as/],
    [
      url(),
      'http://login.example.com',
      /expected an https URL, or an http URL on localhost; to allow other http URLs, set allowInse/,
    ],
    [url(), 'http://localhost.evil.example', /expected an https URL/],
    [url(), 'http://127.evil.example', /expected an https URL/],
    [url(), 'ftp://login.example.com', /is "ftp:\/\/login\.example\.com"; expected an https URL/],
    [url(), 'https://login.example.com\n', /is "https:\/\/login\.example\.com\\n"/],
    [url({ plain: true }), 'https://login.example.com#a', /without a query or fragment/],
    [url(), new URL('https://login.example.com'), /is an instance of URL; expected an absolute URL/],
  ]
  for (const [parser, value, message] of cases)
    t.throws(() => parse(parser, value), { message }, `${inspect(value).slice(0, 60)} for ${parser.expected}`)
  const insecure = { allowInsecureHttp: true }
  for (const value of ['ftp://login.example.com', 'file:///jwks', 'javascript:alert(1)', 'data:,x'])
    t.throws(() => parse(url(), value, insecure), { message: /expected an http or https URL/ }, value)
})

t.test('never shows a secret in an error', async t => {
  const hidden = 'hunter2'
  const cases: [parser: Parser<unknown>, value: unknown][] = [
    [url(), `https://user:${hidden}@login.example.com`],
    [url(), `https://${hidden}@login.example.com`],
    [url(), `https://user:${hidden}@login.example.com:port`],
    [url(), `https://user:a/${hidden}@login.example.com`],
    [url(), `user:${hidden}@login.example.com`],
    [url(), `ftp://user:${hidden}@login.example.com`],
    [url(), `ftp://login.example.com?key=${hidden}`],
    [url({ plain: true }), `https://login.example.com?key=${hidden}`],
    [secret('the secret'), `${hidden}\n`],
    [secret('the secret'), [hidden]],
    [secret('the secret'), { value: hidden }],
    [pem('private key'), hidden],
    [pem('private key'), key.replaceAll('\n', ' ')],
    [pem('private key'), `-----BEGIN PRIVATE KEY-----\n${hidden}\n-----END PRIVATE KEY-----`],
    [pem('certificate'), key],
    [object({}, 'it'), [{ password: hidden }]],
    [text('a name'), { password: hidden }],
    [instance<{ add(): void }>(['add'], 'a store'), { password: hidden }],
  ]
  for (const [parser, value] of cases)
    try {
      parse(parser, value)
      t.fail(`accepted: ${inspect(value)}`)
    } catch (error) {
      t.notMatch(String(error), new RegExp(`${hidden}|${key.slice(30, 60)}`), inspect(value))
    }
})

t.test('distinguishes absent options from undefined ones', async t => {
  const declaration = {
    clientId: text('the client id'),
    clientSecret: optional(secret('the secret')),
    timeoutMs: withDefault(milliseconds(), 5_000),
    scopes: optional(strings('a list of scopes')),
  }
  const read = (given: object) => parseOptions(given, declaration, context)
  t.strictSame(read({ clientId: 'a' }), {
    clientId: 'a',
    clientSecret: undefined,
    timeoutMs: 5_000,
    scopes: undefined,
  })
  t.ok(Object.isFrozen(read({ clientId: 'a' })))
  t.equal(read({ clientId: 'a', timeoutMs: undefined }).timeoutMs, 5_000, 'a default stands for undefined')
  const cases: [object, RegExp][] = [
    [{}, /^option `clientId` is missing; expected the client id$/],
    [
      { clientId: undefined },
      /^option `clientId` is undefined \(is the environment variable set\?\); expected the client id$/,
    ],
    [{ clientId: 'a', clientSecret: undefined }, /`clientSecret` is undefined .*, or leave it out$/],
    [{ clientId: 'a', clientSecret: '' }, /`clientSecret` is empty; .*\(is the environment variable set\?\)/],
    [{ clientId: 'a', scopes: undefined }, /`scopes` is undefined .* list of scopes, or leave it out$/],
    [
      Object.create({ clientId: 'a' }) as object,
      /expects an object of options, not an object with a custom prototype/,
    ],
  ]
  for (const [given, message] of cases) t.throws(() => read(given), { message }, inspect(given))
  for (const given of [undefined, null, 'text', ['a']])
    t.throws(() => parseOptions(given, declaration, context), /register expects an object of options, not/)
})

t.test('a clock that fails later makes its caller fail', async t => {
  const given: { answer: () => unknown } = { answer: () => 5 }
  const { now } = parseOptions({ now: () => given.answer() }, { now: clock() }, context)
  t.equal(now(), 5)
  const fails: readonly (() => unknown)[] = [
    () => NaN,
    () => Infinity,
    () => '5',
    () => undefined,
    async () => 5,
    () => Promise.reject(new Error('internal')),
    () => new Date(),
    () => {
      throw new Error('internal')
    },
  ]
  for (const fail of fails) {
    given.answer = fail
    t.throws(now, {
      message: 'the clock function did not return a time in milliseconds',
      cause: {},
    })
  }
})

const thrown: readonly unknown[] = [
  null,
  undefined,
  0,
  '',
  false,
  'text',
  Symbol('s'),
  new Error('GET https://vault'),
]
const throws = (value: unknown) => (): never => {
  throw value
}

/** Options whose reading calls code of the caller. */
const traps: Readonly<Record<string, (fail: () => never) => { given: object; names: string }>> = {
  getter: fail => ({ given: Object.defineProperty({}, 'x', { get: fail, enumerable: true }), names: 'x' }),
  'hidden getter': fail => ({ given: Object.defineProperty({}, 'x', { get: fail }), names: 'x' }),
  clock: fail => ({ given: { now: fail }, names: 'now' }),
  'getter of a member': fail => ({
    given: { inner: Object.defineProperty({}, 'a', { get: fail, enumerable: true }) },
    names: 'inner.a',
  }),
  'proxy without names': fail => ({ given: { inner: new Proxy({}, { ownKeys: fail }) }, names: 'inner' }),
  'proxy without a prototype': fail => ({
    given: { inner: new Proxy({}, { getPrototypeOf: fail }) },
    names: 'inner',
  }),
  'list with a getter': fail => ({
    given: { list: Object.defineProperty(['a'], 0, { get: fail }) },
    names: 'list',
  }),
  'list of a proxy': fail => ({ given: { list: new Proxy(['a'], { get: fail }) }, names: 'list' }),
  'value that cannot be shown': fail => ({
    given: { x: Object.create(Object.defineProperty({}, 'constructor', { get: fail })) as object },
    names: 'x',
  }),
  dispatcher: fail => ({
    given: {
      agent: new (class Dispatcher {
        dispatch = fail
        compose = fail
      })(),
    },
    names: 'agent',
  }),
  'methods with getters': fail => ({
    given: { agent: Object.defineProperty({}, 'dispatch', { get: fail }) },
    names: 'agent',
  }),
}

t.test('names the option whose getter or function throws, whatever it throws', async t => {
  const declaration = {
    x: optional(text('text')),
    now: optional(clock()),
    inner: optional(object({ a: optional(text('text')) }, 'an object')),
    list: optional(strings('a list')),
    agent: optional(dispatcher()),
  }
  for (const [name, make] of Object.entries(traps))
    for (const value of thrown) {
      const { given, names } = make(throws(value))
      try {
        parseOptions(given, declaration, context)
        t.fail(`${name} that throws ${String(value)} is accepted`)
      } catch (error) {
        t.ok(error instanceof TypeError, `${name} that throws ${String(value)}: ${String(error)}`)
        const { message, cause } = error as TypeError
        t.equal(message.split(':')[0], `option \`${names}\` cannot be read`)
        t.notMatch(message, /vault/)
        t.equal(cause, value)
        t.notOk(Object.keys(error as object).includes('cause'))
      }
    }
})

t.test('rejects proxies that throw when they are inspected', async t => {
  const fail = throws(null)
  for (const given of [
    new Proxy({}, { getPrototypeOf: fail }),
    new Proxy({}, { ownKeys: fail }),
    Object.create(Object.defineProperty({}, 'constructor', { get: fail })),
  ])
    t.throws(() => parseOptions(given, {}, context), TypeError)
})

t.test('reads each option once', async t => {
  const reads: string[] = []
  const given = Object.defineProperties(
    {},
    Object.fromEntries(
      ['x', 'allowInsecureHttp'].map(name => [
        name,
        { enumerable: true, get: () => (reads.push(name), name === 'x' ? 'a' : true) },
      ]),
    ),
  )
  const declaration = { x: text('text'), allowInsecureHttp: boolean() }
  t.strictSame(parseOptions(given, declaration, context), { x: 'a', allowInsecureHttp: true })
  t.strictSame(reads, ['x', 'allowInsecureHttp'])
  t.strictSame(takeOptions(given, context), { x: 'a', allowInsecureHttp: true })
  t.throws(() => takeOptions(new Map(), context), { message: /not an instance of Map/ })
})

t.test('rejects a clock that returns a rejected promise, without an unhandled rejection', async t => {
  const fatal: unknown[] = []
  const note = (reason: unknown): void => void fatal.push(reason)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  t.throws(() => parse(clock(), async () => Promise.reject(new Error('internal'))), /returns a Promise/)
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(fatal, [])
})
