import t from 'tap'
import { parseOptions, suggest, withDefault, text } from 'declared-options'

const server =
  'issuer audience profile jwksUri metadataUrl keys algorithms scopes claims clockToleranceMs jwksMaxAgeMs'
const client =
  'baseUrl issuer tokenEndpoint profile clientId clientSecret scopes audience keyAlgorithm privateKey'
const rule = 'scopes match roles audience acr maxAgeMs optional dpop'

const cases: [name: string, known: string, meant: string | undefined][] = [
  ['issuerBaseURL', server, 'issuer'],
  ['issuerBaseUrl', client, 'issuer'],
  ['domain', client, 'issuer'],
  ['authority', server, 'issuer'],
  ['tenantId', server, 'issuer'],
  ['jwks_uri', server, 'jwksUri'],
  ['jwksUrl', server, 'jwksUri'],
  ['JWKS-URI', server, 'jwksUri'],
  ['client_id', client, 'clientId'],
  ['client_secret', client, 'clientSecret'],
  ['secret', client, 'clientSecret'],
  ['secret', server, 'keys'],
  ['scope', server, 'scopes'],
  ['scope', client, 'scopes'],
  ['aud', client, 'audience'],
  ['audiences', server, 'audience'],
  ['audiance', server, 'audience'],
  ['tokenURL', client, 'tokenEndpoint'],
  ['token_endpoint', client, 'tokenEndpoint'],
  ['tokenEndpointUrl', client, 'tokenEndpoint'],
  ['algorithm', server, 'algorithms'],
  ['algorithm', client, 'keyAlgorithm'],
  ['clockTolerance', server, 'clockToleranceMs'],
  ['cacheMaxAge', server, 'jwksMaxAgeMs'],
  ['anyOf', rule, 'scopes'],
  ['permissions', rule, 'roles'],
  ['permissions', server, 'scopes'],
  ['maxAge', rule, 'maxAgeMs'],
  ['colour', server, undefined],
  ['x', rule, undefined],
  ['__proto__', rule, undefined],
  ['constructor', rule, undefined],
  ['', rule, undefined],
]

t.test('suggests the option for a misspelled name or the name of another library', async t => {
  for (const [name, known, meant] of cases)
    t.equal(suggest(name, known.split(' ')), meant, `${name} of ${known}`)
})

t.test('suggests at most one option for an unknown name', async t => {
  const declaration = { issuer: withDefault(text('text'), 'a'), audience: withDefault(text('text'), 'b') }
  const context = {
    toError: (message: string) => new Error(message),
    subject: 'register',
    ignored: ['prefix'],
  }
  const read = (given: object) => () => parseOptions(given, declaration, context)
  t.throws(read({ domain: 'a' }), { message: 'there is no option `domain`; did you mean `issuer`?' })
  t.throws(read({ colour: 'red' }), { message: 'there is no option `colour`' })
  t.throws(read({ prefx: '/a' }), { message: 'there is no option `prefx`' })
  t.throws(read({ ['x'.repeat(100_000)]: 1 }), { message: /^there is no option `x{100}`$/ })
  t.doesNotThrow(read({ prefix: '/a' }))
})
