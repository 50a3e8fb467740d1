import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import type { ApiUse } from 'fastify-api-contract'
import { usualPorts, type CallsWith, type ProtectedBy } from '#src/config.js'
import { usedPayments } from '#src/payments-api.js'
import { usedReceipts } from '#src/receipts-api.js'
import type { Environment } from '#src/environment.js'
import { configLoaders } from '#src/load-config.js'

interface Service {
  readonly command?: string[]
  readonly environment?: Record<string, string>
  readonly ports?: string[]
  readonly volumes?: string[]
  readonly healthcheck: { readonly test: [kind: 'CMD', ...command: string[]] }
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

/** Resolves `${NAME:-default}` as compose does if the variable is not set. */
function environmentOf(name: string): Environment {
  return Object.fromEntries(
    Object.entries(services[name]?.environment ?? {}).map(([variable, value]) => [
      variable,
      value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'),
    ]),
  )
}

/** Returns the secret that Keycloak inserts when it imports the realm. */
const importedSecret = (secret: string): string | undefined =>
  environmentOf('keycloak')[/^\$\{(\w+)\}$/.exec(secret)?.[1] ?? '']

function checkClient(t: Test, call: CallsWith, { scopes }: ApiUse): void {
  const client = realm.clients.find(({ clientId }) => clientId === call.clientId)
  t.ok(client?.serviceAccountsEnabled, call.clientId)
  t.equal(importedSecret(client?.secret ?? ''), call.clientSecret, 'the secret is the one that is imported')
  for (const scope of scopes) {
    t.ok(client?.optionalClientScopes.includes(scope), `${call.clientId} may ask for ${scope}`)
    const known = realm.clientScopes.find(({ name }) => name === scope)
    t.equal(known?.attributes['include.in.token.scope'], 'true')
    t.match(known?.protocolMappers, [
      {
        protocolMapper: 'oidc-audience-mapper',
        config: { 'included.custom.audience': call.audience, 'access.token.claim': 'true' },
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

t.test('each container has the settings of its service, but no secrets of others', async t => {
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
  t.strictSame(
    [payments.receipts.audience, storefront.payments.audience],
    [receipts.audience, payments.audience],
  )
  checkClient(t, payments.receipts, usedReceipts)
  checkClient(t, storefront.payments, usedPayments)
  for (const [name, { command = [] }] of Object.entries(services))
    if (command[0] === 'serve') t.strictSame(command, ['serve', name])
  t.strictSame(['receipts', 'payments', 'storefront'].map(secrets), [
    [],
    ['PAYMENT_SERVICE_CLIENT_SECRET'],
    ['STOREFRONT_CLIENT_SECRET'],
  ])
})

t.test('only the shop has a published port, and only on this machine', async t => {
  const published = Object.entries(services).flatMap(([name, { ports = [] }]) =>
    ports.map(port => [name, port]),
  )
  t.strictSame(published, [['storefront', '127.0.0.1:3000:3000']])
})

t.test('the realm for Keycloak is complete', async t => {
  const { command, environment = {}, volumes } = services['keycloak'] ?? {}
  t.strictSame(command, ['start-dev', '--import-realm'])
  t.strictSame(volumes, ['./keycloak:/opt/keycloak/data/import:ro'])
  // The importer requires that the name of the file matches the name of the realm.
  t.strictSame(readdirSync('demo/keycloak'), [`${realm.realm}-realm.json`])
  t.match(environment, {
    KC_HOSTNAME: new URL(load('receipts').receipts().issuer).origin,
    KC_HEALTH_ENABLED: 'true',
    KC_BOOTSTRAP_ADMIN_USERNAME: String,
    KC_BOOTSTRAP_ADMIN_PASSWORD: String,
  })
  // A realm with its own client scopes gets none of Keycloak's, and `basic` provides `sub`.
  t.match(realm.clientScopes.find(({ name }) => name === 'basic')?.protocolMappers, [
    { protocolMapper: 'oidc-sub-mapper', config: { 'access.token.claim': 'true' } },
  ])
  for (const { clientId, defaultClientScopes } of realm.clients)
    t.ok(defaultClientScopes.includes('basic'), clientId)
})

/** Starts a server that answers instead of a service. */
async function answerWith(t: Test, status: number, body: string): Promise<number> {
  const server = createServer((_, response) => response.writeHead(status).end(body))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Runs the health check of a service against another port, with `$$` replaced as compose does; resolves to the exit code. */
async function checkHealth(name: string, usualPort: number, port: number): Promise<number | null> {
  const [kind, program = '', ...args] = services[name]?.healthcheck.test ?? []
  if (kind !== 'CMD') throw new Error('a shell is not the same in each image')
  const there = args.map(arg => arg.replaceAll('$$', '$').replace(String(usualPort), String(port)))
  const check = spawn(program === 'node' ? process.execPath : program, there, { stdio: 'ignore' })
  return new Promise((resolve, reject) => check.once('exit', resolve).once('error', reject))
}

const skipWithoutBash = existsSync('/bin/bash') ? {} : { skip: 'bash is not installed' }
t.test('health checks pass for a ready service and fail otherwise', skipWithoutBash, async t => {
  const ready = await answerWith(t, 200, '{ "status": "UP", "checks": [] }')
  const half = await answerWith(
    t,
    503,
    '{ "status": "DOWN", "checks": [{ "name": "cluster", "status": "UP" }, { "name": "database", "status": "DOWN" }] }',
  )
  const { storefront, payments, receipts } = usualPorts
  for (const [name, port] of Object.entries({ storefront, payments, receipts, keycloak: 9000 })) {
    t.equal(await checkHealth(name, port, ready), 0, `${name} is ready`)
    t.not(await checkHealth(name, port, half), 0, `${name} is not`)
    t.not(await checkHealth(name, port, 1), 0, `${name} is not there`)
  }
  for (const [name, port] of Object.entries({ storefront, payments, receipts }))
    t.match(services[name]?.healthcheck.test.at(-1), `'http://127.0.0.1:${port}/ready'`)
})

t.test('the database counts as ready when other containers can connect', async t => {
  // A temporary server answers on the socket while the image creates the database.
  const command = services['postgres']?.healthcheck.test.join(' ')
  t.match(command, /^CMD pg_isready -h 127\.0\.0\.1 /)
})

t.test('a service cannot write files, and contains no secret files of this machine', async t => {
  const locked = {
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    init: true,
  }
  for (const name of ['storefront', 'payments', 'receipts']) t.match(services[name], locked, name)
  const dockerfile = readFileSync('demo/Dockerfile', 'utf8')
  t.match(dockerfile, /^USER node$/m)
  t.notMatch(dockerfile, '--chown')
  const ignored = readFileSync('demo/Dockerfile.dockerignore', 'utf8').split('\n')
  for (const name of ['.env', '*.key', '*.crt', '.demo', 'node_modules', 'dist'])
    t.ok(ignored.includes(`**/${name}`), name)
})
