import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { audience, scope } from '../harness/issuer.js'
import { startServer, type ServerProcess } from '../harness/server-process.js'
import type { Trust } from '../servers/trust.js'
import type { Effort, Question } from './question.js'

const distinctTokens = 1_000_000
const samples = 10
const lanes = 32

interface Memory {
  readonly heapBytes: number
  readonly residentBytes: number
}

export const memory: Question = {
  name: 'memory',
  title: 'Memory over a million requests',
  method: `fastify-resource-server receives ${distinctTokens.toLocaleString('en')} requests, ${lanes} at a time, each with a different token (Ed25519). After every ${(distinctTokens / samples).toLocaleString('en')} requests, the benchmark collects garbage, and then measures the heap in use and the memory of the process.`,
  onlyByName: true,
  async answer(effort) {
    const { privateKey, jwk } = makeKey()
    const keys = await serveKeySet({ keys: [jwk] })
    const trust: Trust = { issuer: 'https://issuer.test', jwksUri: keys.url, audience, scope }
    const server = await startServer('fastify-resource-server', 'servers/resource-server', trust, [
      '--expose-gc',
    ])
    try {
      const measured = await askAMillionTimes(server, tokenMaker(privateKey), effort)
      const heap = measured.map(({ heapBytes }) => heapBytes / 1e6)
      const resident = measured.map(({ residentBytes }) => residentBytes / 1e6)
      const x = measured.map((_, index) => ((index + 1) * distinctTokens) / samples)
      return {
        facts: [
          { what: 'heap after 100,000 distinct tokens', value: heap[0] ?? Number.NaN, unit: 'MB' },
          { what: 'heap after 1,000,000 distinct tokens', value: heap.at(-1) ?? Number.NaN, unit: 'MB' },
          {
            what: 'heap after a million, relative to that after a tenth (1: flat)',
            value: (heap.at(-1) ?? Number.NaN) / (heap[0] ?? Number.NaN),
            unit: '×',
            atMost: 1.05,
          },
        ],
        growths: [
          {
            title: 'Memory by distinct tokens seen',
            xLabel: 'requests, each with a token of its own',
            yLabel: 'MB',
            x,
            lines: { 'heap in use': heap, 'held by the process': resident },
          },
        ],
      }
    } finally {
      await server.stop()
      keys.close()
    }
  },
}

async function askAMillionTimes(
  server: ServerProcess,
  nextToken: () => string,
  { tell }: Effort,
): Promise<Memory[]> {
  const pool = new Pool(server.url, { connections: lanes, pipelining: 1 })
  const measured: Memory[] = []
  try {
    for (let sample = 1; sample <= samples; sample += 1) {
      let left = distinctTokens / samples
      const lane = async (): Promise<void> => {
        while (left > 0) {
          left -= 1
          const authorization = `Bearer ${nextToken()}`
          const { statusCode, body } = await pool.request({
            method: 'GET',
            path: '/orders',
            headers: { authorization },
          })
          await body.dump()
          if (statusCode !== 200) throw new Error(`a token was answered with ${statusCode}`)
        }
      }
      await Promise.all(Array.from({ length: lanes }, lane))
      measured.push(await server.ask<Memory>('memory'))
      tell(`${((sample * distinctTokens) / samples).toLocaleString('en')} requests`)
    }
  } finally {
    await pool.close()
  }
  return measured
}

function makeKey(): { privateKey: KeyObject; jwk: object } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'the-key', alg: 'EdDSA', use: 'sig' },
  }
}

const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A million signatures: made by hand, since a test issuer takes longer for one than the API for its request. */
function tokenMaker(privateKey: KeyObject): () => string {
  const header = segment({ alg: 'EdDSA', typ: 'at+jwt', kid: 'the-key' })
  const iat = Math.floor(Date.now() / 1_000)
  const claims = {
    iss: 'https://issuer.test',
    sub: 'payment',
    client_id: 'payment',
    aud: audience,
    scope,
    iat,
    exp: iat + 86_400,
  }
  let jti = 0
  return () => {
    jti += 1
    const signed = `${header}.${segment({ ...claims, jti: String(jti) })}`
    return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
  }
}

async function serveKeySet(jwks: object): Promise<{ url: string; close(): void }> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(jwks))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
