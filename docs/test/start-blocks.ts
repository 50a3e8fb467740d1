// Runs examples one after the other, each with a fresh `app`, and starts every application that they make.
import { subscribe } from 'node:diagnostics_channel'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import fastify, { type FastifyInstance } from 'fastify'
import resourceServer from 'fastify-resource-server'
import { createTokenClient } from 'fastify-token-client'
import { openExampleCom } from './example-com.js'

const [results = '', ...given] = process.argv.slice(2)
const examples = given.map(text => JSON.parse(text) as { file: string; excerpt: boolean })
const { clientSecret, key, certificate } = await openExampleCom()
Object.assign(process.env, {
  CLIENT_SECRET: clientSecret,
  INTROSPECTION_SECRET: clientSecret,
  CLIENT_KEY_PEM: key,
  KEY: key,
  CERTIFICATE: certificate,
  TOKEN_STORE_KEY: randomBytes(32).toString('base64'),
  AZURE_TENANT_ID: '11111111-1111-1111-1111-111111111111',
  AZURE_CLIENT_ID: 'payment',
  AZURE_FEDERATED_TOKEN_FILE: '/var/run/secrets/azure/tokens/azure-identity-token',
})

const made: FastifyInstance[] = []
subscribe('fastify.initialization', message => made.push((message as { fastify: FastifyInstance }).fastify))

writeFileSync('server.key', key)
writeFileSync('server.crt', certificate)

/** What the pages name and don't define; around an excerpt, the application is protected already. */
async function atHand(excerpt: boolean): Promise<object> {
  const app = fastify()
  if (excerpt)
    await app.register(resourceServer, {
      issuer: 'https://login.example.com',
      audience: 'https://receipts.example.com',
    })
  return {
    app,
    receipts: createTokenClient({
      baseUrl: 'https://receipts.example.com',
      issuer: 'https://login.example.com',
      clientId: 'payment',
      clientSecret,
    }),
    signInKms: async () => new Uint8Array(64),
  }
}

/** File → what went wrong; nothing, where it works. */
const problems: Record<string, string> = {}
for (const { file, excerpt } of examples)
  try {
    Object.assign(globalThis, await atHand(excerpt))
    await import(file)
    for (const app of made) await app.ready()
  } catch (error) {
    problems[file] = error instanceof Error ? String(error.stack) : String(error)
  } finally {
    for (const app of made.splice(0)) await app.close()
  }
writeFileSync(results, JSON.stringify(problems))
process.exit() // connections to stores that are not there would go on trying
