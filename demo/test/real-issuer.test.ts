import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { createTestIssuer, type ProfileName, type TestIssuer } from 'oauth-test-issuer'
import t, { type Test } from 'tap'
import { openBookstore } from '#src/bookstore.js'
import { openDatabase } from '#src/database/database.js'
import { examine, examineNode } from '#src/doctor/doctor.js'
import type { Environment } from '#src/environment.js'
import { loadConfig } from '#src/load-config.js'
import { chooseFreePorts } from '#src/ports.js'
import { readRealIssuer } from '#src/real-issuer.js'
import { pageWithReceipt, startBuying } from './buyer.js'
import { copyDatabase } from './database-template.js'

const audiences = {
  payments: 'https://payments.bookstore.example',
  receipts: 'https://receipts.bookstore.example',
}
const folder = mkdtempSync(join(tmpdir(), 'bookstore-'))
await copyDatabase(join(folder, 'database'))
// Stays open, so that the embedded database starts only once.
const database = await openDatabase({ folder: join(folder, 'database') })
t.teardown(async () => {
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Starts an issuer with both clients, and returns it with the environment of the demo. */
async function openIssuer(
  t: Test,
  profile: ProfileName,
  scopes?: string[],
): Promise<[TestIssuer, Environment]> {
  const issuer = await createTestIssuer({ profile })
  t.teardown(() => issuer.close())
  const storefront = issuer.registerClient({
    clientId: 'storefront',
    audience: audiences.payments,
    scopes: ['payments:write', 'payments:read'],
  })
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keyFile = join(folder, `${profile}.key`)
  writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }))
  issuer.registerClient({
    clientId: 'payment-service',
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] },
    audience: audiences.receipts,
    scopes: scopes ?? ['receipts:write', 'receipts:read'],
  })
  return [
    issuer,
    {
      ISSUER: issuer.url,
      PROFILE: profile,
      PAYMENTS_AUDIENCE: audiences.payments,
      RECEIPTS_AUDIENCE: audiences.receipts,
      STOREFRONT_CLIENT_ID: storefront.clientId,
      STOREFRONT_CLIENT_SECRET: storefront.clientSecret,
      PAYMENT_SERVICE_CLIENT_ID: 'payment-service',
      PAYMENT_SERVICE_PRIVATE_KEY_FILE: keyFile,
      PAYMENT_SERVICE_KEY_ID: 'k1',
      DEMO_FOLDER: folder,
      LOG_LEVEL: 'silent',
    },
  ]
}

async function askDoctor(env: Environment): Promise<{ isWell: boolean; report: string }> {
  const lines: string[] = []
  const isWell = await examine(env, (subject, { isWell: good, found, remedy = '' }) =>
    lines.push(`${good ? 'well' : 'ill'} ${subject}: ${found} ${remedy}`),
  )
  return { isWell, report: lines.join('\n') }
}

for (const profile of ['rfc9068', 'keycloak', 'entra', 'auth0'] as const)
  t.test(`a book is bought with tokens of an external issuer: ${profile}`, async t => {
    const [, env] = await openIssuer(t, profile)
    const { isWell, report } = await askDoctor(env)
    t.ok(isWell, report)

    const config = loadConfig(await chooseFreePorts(), env)
    const shop = await openBookstore(config)
    t.teardown(() => shop.close())
    const url = `http://127.0.0.1:${config.storefront.port}`
    const paid = await (await startBuying(url)).pay('test_visa')
    t.equal(paid.status, 303)
    const order = await pageWithReceipt(url + (paid.headers.get('location') ?? ''))
    t.match(order, '&quot;iss&quot;')
    const live = await (await fetch(`${url}/live`)).text()
    t.match(live, 'Issuer')
    t.match(live, /client_assertion=•••/)
    t.notMatch(live, 'Break something', 'there are no switches for an external issuer')
  })

t.test('the doctor reports problems with their remedies', async t => {
  const cases: [string, (env: Environment) => Environment, RegExp][] = [
    [
      'a wrong secret',
      env => ({ ...env, STOREFRONT_CLIENT_SECRET: 'x' }),
      /ill Token, storefront.*invalid_client.*CLIENT_SECRET/,
    ],
    [
      'a wrong audience',
      env => ({ ...env, PAYMENTS_RESOURCE: audiences.payments, PAYMENTS_AUDIENCE: 'https://other.example' }),
      /ill Verified, storefront.*aud is "https:\/\/payments.*`audience`.*Variables: .*AUDIENCE/,
    ],
    [
      'a wrong profile',
      env => ({ ...env, PROFILE: 'cognito' }),
      /ill Verified, storefront.*typ.*`profile: 'rfc9068'`.*Variables: PROFILE/,
    ],
    [
      'a wrong issuer',
      env => ({ ...env, ISSUER: `${env['ISSUER']}/other` }),
      /ill Token, storefront.*ISSUER/,
    ],
    [
      'a missing client',
      env => ({ ...env, STOREFRONT_CLIENT_ID: '' }),
      /ill Environment: ISSUER is set, so CLIENT_ID or STOREFRONT_CLIENT_ID is needed/,
    ],
    [
      'a misspelt profile',
      env => ({ ...env, PROFILE: 'keycloack' }),
      /ill Environment: PROFILE is "keycloack"; expected one of .*keycloak/,
    ],
    [
      'a missing key file',
      env => ({ ...env, PAYMENT_SERVICE_PRIVATE_KEY_FILE: '/nowhere.key' }),
      /ill Environment: PRIVATE_KEY_FILE is \/nowhere\.key, which cannot be read/,
    ],
    [
      'an unavailable database',
      env => ({ ...env, DATABASE_URL: 'postgres://127.0.0.1:1/x' }),
      /ill Database.*DATABASE_URL/,
    ],
  ]
  const [, env] = await openIssuer(t, 'rfc9068')
  for (const [name, change, expected] of cases)
    await t.test(name, async t => {
      const { isWell, report } = await askDoctor(change(env))
      t.notOk(isWell)
      t.match(report, expected)
      t.notMatch(report, /eyJ[\w-]+\.eyJ/, 'no token is shown')
      t.notMatch(report, env['STOREFRONT_CLIENT_SECRET'] ?? '?')
    })

  await t.test('a missing scope', async t => {
    const [, poor] = await openIssuer(t, 'entra', ['receipts:read'])
    const { report } = await askDoctor(poor)
    t.match(report, /ill Verified, payment service.*roles \["receipts:read"\].*Grant the scopes/)
  })
  await t.test('no problem with the demo’s own issuer', async t => {
    const { isWell, report } = await askDoctor({ DEMO_FOLDER: folder })
    t.ok(isWell, report)
    t.match(report, /well Verified, payment service → receipt service: valid for https:\/\/receipts/)
  })
  t.match(examineNode('20.18.3'), { isWell: false, remedy: /20\.19/ })
  t.match(examineNode('22.0.0'), { isWell: true })
})

t.test('each example file is complete except for secrets', async t => {
  const certificate = join(folder, 'client.crt')
  const key = join(folder, 'client.key')
  writeFileSync(certificate, 'certificate')
  writeFileSync(key, 'key')
  const examples = readdirSync('demo/env')
  t.equal(examples.length, 5)
  for (const name of examples) {
    const example = parseEnv(readFileSync(`demo/env/${name}`, 'utf8'))
    const empty = Object.entries(example)
      .filter(([, value]) => value === '')
      .map(([variable]) => variable)
    t.ok(
      empty.every(variable => /CLIENT_(ID|SECRET)$/.test(variable)),
      `${name} leaves out secrets only`,
    )
    const filled = { ...example, ...Object.fromEntries(empty.map(variable => [variable, 'x'])) }
    const files = 'CERTIFICATE_FILE' in filled ? { CERTIFICATE_FILE: certificate, PRIVATE_KEY_FILE: key } : {}
    const issuer = readRealIssuer({ ...filled, ...files })
    const call = issuer?.call('receipts', 'http://127.0.0.1:1')
    t.match(issuer?.protect('receipts'), {
      issuer: example['ISSUER'],
      verification: { profile: example['PROFILE'] },
    })
    if (name.startsWith('entra') || name.startsWith('azure'))
      t.match(call, { audience: example['RESOURCE'], profile: 'entra' })
    if (name.includes('certificate')) t.match(call, { privateKey: 'key', certificate: 'certificate' })
    if (name === 'auth0.env') t.equal(call?.audience, audiences.receipts)
    if (name === 'keycloak.env') t.equal(call?.profile, 'keycloak')
  }
})
