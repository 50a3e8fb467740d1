import type { FastifyInstance } from 'fastify'
import { buildAuthorizationServer } from '../authorization-server/app.js'
import { clientOptions } from '../client-options.js'
import type { DemoConfig } from '../config.js'
import { openDatabase } from '../database/database.js'
import type { DatabaseError } from '../database/database-error.js'
import type { Environment } from '../environment.js'
import { loadConfig } from '../load-config.js'
import { usedPayments } from '../payments-api.js'
import { chooseFreePorts, chooseUsualPorts } from '../ports.js'
import { usedReceipts } from '../receipts-api.js'
import { requestToken, verifyToken } from './examine-token.js'

/** The result of one check. */
export interface Finding {
  readonly isWell: boolean
  readonly found: string
  readonly remedy?: string
}

/** Receives the findings, one after the other. */
export type Tell = (subject: string, finding: Finding) => void

/**
 * Checks what the demo needs: Node.js, ports, the environment, the database, and the keys and tokens of the issuer. Each
 * token is verified with the options of its service.
 * @returns whether every check succeeded
 */
export async function examine(env: Environment, tell: Tell): Promise<boolean> {
  let isWell = true
  const note: Tell = (subject, finding) => {
    isWell &&= finding.isWell
    tell(subject, finding)
  }
  note('Node.js', examineNode(process.versions.node))
  note('Ports', await examinePorts())
  const config = await readConfig(env, note)
  if (config === undefined) return false
  note('Database', await examineDatabase(config))
  await examineIssuer(config, note)
  return isWell
}

export function examineNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isWell = major > 20 || (major === 20 && minor >= 19)
  return { isWell, found: version, ...(isWell ? {} : { remedy: 'The demo needs Node.js 20.19 or newer.' }) }
}

async function examinePorts(): Promise<Finding> {
  const { ports, moved } = await chooseUsualPorts()
  const list = Object.values(ports).join(', ')
  return moved.length === 0
    ? { isWell: true, found: `${list} are free` }
    : {
        isWell: true,
        found: `${moved.map(({ wanted }) => wanted).join(', ')} are in use; ${list} will be used instead`,
      }
}

async function readConfig(env: Environment, note: Tell): Promise<DemoConfig | undefined> {
  try {
    const config = loadConfig(await chooseFreePorts(), { ...env, LOG_LEVEL: 'silent' })
    const found = config.isIssuerReal
      ? `the issuer is ${config.payments.issuer}`
      : 'ISSUER is not set, so the demo starts its own issuer'
    note('Environment', { isWell: true, found })
    return config
  } catch (error) {
    note('Environment', {
      isWell: false,
      found: (error as Error).message,
      remedy: 'See demo/README.md for the variables, and demo/env for an example for each issuer.',
    })
    return undefined
  }
}

async function examineDatabase({ payments }: DemoConfig): Promise<Finding> {
  const { url, folder } = payments.database
  const found =
    url === undefined ? `the embedded database in ${folder}` : 'the server in DATABASE_URL responds'
  try {
    const database = await openDatabase(payments.database)
    await database.query('select 1').finally(() => database.close())
    return { isWell: true, found }
  } catch (error) {
    const { message, remedy } = error as DatabaseError
    return { isWell: false, found: message, remedy }
  }
}

async function examineIssuer(config: DemoConfig, note: Tell): Promise<void> {
  const own = config.isIssuerReal ? undefined : await openIssuer(config)
  try {
    for (const [subject, callsWith, protectedBy, used] of [
      ['storefront → payment service', config.storefront.payments, config.payments, usedPayments],
      ['payment service → receipt service', config.payments.receipts, config.receipts, usedReceipts],
    ] as const) {
      const { token, finding } = await requestToken(clientOptions(callsWith, used), protectedBy)
      note(`Token, ${subject}`, finding)
      if (token !== undefined)
        note(`Verified, ${subject}`, await verifyToken(protectedBy, used.scopes, token))
    }
  } finally {
    await own?.close()
  }
}

async function openIssuer({ authorizationServer }: DemoConfig): Promise<FastifyInstance> {
  const app = await buildAuthorizationServer(authorizationServer)
  await app.listen(authorizationServer)
  return app
}
