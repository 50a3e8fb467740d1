import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { configLoaders, usualPorts, type CallsWith, type Environment, type ProtectedBy } from '#src/config.js'

interface Service {
  readonly command?: string[]
  readonly environment?: Record<string, string>
  readonly ports?: string[]
  readonly volumes?: string[]
}
interface Realm {
  readonly realm: string
  readonly clientScopes: {
    name: string
    attributes: Record<string, string>
    protocolMappers: { protocolMapper: string; config: Record<string, string> }[]
  }[]
  readonly clients: {
    clientId: string
    secret: string
    serviceAccountsEnabled: boolean
    defaultClientScopes: string[]
    optionalClientScopes: string[]
  }[]
}

const { services } = parse(readFileSync('demo/compose.yaml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>
}
const realm = JSON.parse(readFileSync('demo/keycloak/bookstore-realm.json', 'utf8')) as Realm

/** `${NAME:-default}` without the variable, as compose reads it. */
function environmentOf(name: string): Environment {
  return Object.fromEntries(
    Object.entries(services[name]?.environment ?? {}).map(([variable, value]) => [
      variable,
      value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'),
    ]),
  )
}

/** What Keycloak puts into the secret's place when it imports the realm. */
const importedSecret = (secret: string): string | undefined =>
  environmentOf('keycloak')[/^\$\{(\w+)\}$/.exec(secret)?.[1] ?? '']

function checkClient(t: Test, call: CallsWith, audience: string): void {
  const client = realm.clients.find(({ clientId }) => clientId === call.clientId)
  t.ok(client?.serviceAccountsEnabled, call.clientId)
  t.equal(importedSecret(client?.secret ?? ''), call.clientSecret, 'the secret is the one that is imported')
  for (const scope of call.scopes) {
    t.ok(client?.optionalClientScopes.includes(scope), `${call.clientId} may ask for ${scope}`)
    const known = realm.clientScopes.find(({ name }) => name === scope)
    t.equal(known?.attributes['include.in.token.scope'], 'true')
    t.match(known?.protocolMappers, [
      {
        protocolMapper: 'oidc-audience-mapper',
        config: { 'included.custom.audience': audience, 'access.token.claim': 'true' },
      },
    ])
  }
  t.ok(
    client?.defaultClientScopes.every(name => realm.clientScopes.some(scope => scope.name === name)),
    'each default scope is in the realm',
  )
}

const load = (name: string) => configLoaders(usualPorts, environmentOf(name))

const secrets = (name: string): string[] =>
  Object.keys(environmentOf(name)).filter(variable => variable.endsWith('SECRET'))

t.test('each container has what its service needs, and no other’s secret', async t => {
  const receipts = load('receipts').receipts()
  const payments = load('payments').payments()
  const storefront = load('storefront').storefront()
  for (const config of [receipts, payments] satisfies ProtectedBy[]) {
    t.equal(new URL(config.issuer).pathname, `/realms/${realm.realm}`)
    t.match(config.verification, { profile: 'keycloak', allowInsecureHttp: true })
    t.match(config.database.url, /^postgres:\/\/bookstore:[^@]+@postgres:5432\/bookstore$/)
  }
  t.equal(payments.receipts.baseUrl, `http://receipts:${receipts.port}`)
  t.equal(storefront.payments.baseUrl, `http://payments:${payments.port}`)
  t.ok([receipts, payments, storefront].every(({ host }) => host === '0.0.0.0'))
  checkClient(t, payments.receipts, receipts.audience)
  checkClient(t, storefront.payments, payments.audience)
  for (const [name, { command = [] }] of Object.entries(services))
    if (command[0] === 'serve') t.strictSame(command, ['serve', name])
  t.strictSame(['receipts', 'payments', 'storefront'].map(secrets), [
    [],
    ['PAYMENT_SERVICE_CLIENT_SECRET'],
    ['STOREFRONT_CLIENT_SECRET'],
  ])
})

t.test('nothing but the shop is reached from outside, and that from this machine only', async t => {
  const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
    ports.map(port => [name, port]),
  )
  t.strictSame(published, [['storefront', '127.0.0.1:3000:3000']])
})
