import {
  createHmac,
  generateKeyPairSync,
  sign as signBytes,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { Test } from 'tap'
import { listen } from 'test-support/listen'

/**
 * An issuer made by hand: keys from node:crypto, tokens put together byte by byte, a plain HTTP server. It shares no
 * code with the package or with oauth-test-issuer, so that no mistake can hide in both.
 */
export interface HandMadeIssuer {
  readonly url: string
  /** Paths asked for, in order. */
  readonly asked: string[]
  /** What the JWKS endpoint lists. */
  keys: JsonWebKey[]
  /** Replaces the answer of the JWKS endpoint; undefined: the keys. */
  answer: ((response: ServerResponse) => void) | undefined
  /** Cuts off each connection until `comeBack`; the port is kept, so that nobody else gets it meanwhile. */
  goAway(): void
  comeBack(): void
}

export type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA'

export interface SigningKey {
  readonly kid: string | undefined
  readonly algorithm: Algorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The public JWK as an issuer lists it. */
  readonly jwk: JsonWebKey & { kid?: string }
}

export function makeKey(kid: string | undefined, algorithm: Algorithm = 'ES256'): SigningKey {
  const { privateKey, publicKey } = pairFor(algorithm)
  const jwk = {
    ...publicKey.export({ format: 'jwk' }),
    ...(kid === undefined ? {} : { kid }),
    alg: algorithm,
    use: 'sig',
  }
  return { kid, algorithm, privateKey, publicKey, jwk }
}

function pairFor(algorithm: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (algorithm === 'ES384') return generateKeyPairSync('ec', { namedCurve: 'P-384' })
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

export const base64url = (value: unknown): string =>
  (Buffer.isBuffer(value)
    ? value
    : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  ).toString('base64url')

/** Signs exactly these bytes as header and payload. */
export function signRaw(header: unknown, payload: unknown, key: SigningKey): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${signatureOf(input, key).toString('base64url')}`
}

export function signatureOf(input: string, { algorithm, privateKey }: SigningKey): Buffer {
  const data = Buffer.from(input)
  switch (algorithm) {
    case 'EdDSA':
      return signBytes(null, data, privateKey)
    case 'PS256':
      return signBytes('sha256', data, { key: privateKey, padding: 6, saltLength: 32 })
    case 'RS256':
      return signBytes('sha256', data, privateKey)
    case 'ES384':
      return signBytes('sha384', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    default:
      return signBytes('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  }
}

/** HS256 with whatever bytes somebody takes for a secret. */
export function signHmac(header: unknown, payload: unknown, secret: string | Buffer): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export async function startHandMadeIssuer(t: Test, keys: readonly SigningKey[]): Promise<HandMadeIssuer> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('content-type', 'application/json')
    if (request.url === '/jwks') {
      if (issuer.answer === undefined) response.end(JSON.stringify({ keys: issuer.keys }))
      else issuer.answer(response)
      return
    }
    if (request.url === '/.well-known/openid-configuration') {
      response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` }))
      return
    }
    response.statusCode = 404
    response.end('{}')
  })
  let isThere = true
  server.on('connection', socket => {
    if (!isThere) socket.resetAndDestroy()
  })
  const issuer: HandMadeIssuer = {
    url: await listen(t, server),
    asked,
    keys: keys.map(({ jwk }) => jwk),
    answer: undefined,
    goAway() {
      isThere = false
      server.closeAllConnections()
    },
    comeBack() {
      isThere = true
    },
  }
  return issuer
}

export const jwksRequests = ({ asked }: HandMadeIssuer): number =>
  asked.filter(path => path === '/jwks').length

/** Holds the next answers of the JWKS endpoint back, and gives the first one away. */
export function holdAnswer(issuer: HandMadeIssuer): Promise<ServerResponse> {
  return new Promise(resolve => {
    issuer.answer = resolve
  })
}

/** Waits until the JWKS endpoint was asked so many times. */
export async function untilAsked(issuer: HandMadeIssuer, times: number): Promise<void> {
  while (jwksRequests(issuer) < times) await new Promise(resolve => setImmediate(resolve))
}
