import type { webcrypto } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { TokenScheme } from './token-scheme.js'
import { withHeaders } from './with-headers.js'

/** The maximum number of cached nonces. Each origin has one nonce. */
const maxNonces = 100

/**
 * Creates a scheme that sends a DPoP token and a proof with each request (RFC 9449 §7.1). Proofs use the system clock
 * instead of the option `clock`, because the API checks proofs against its own clock.
 * @param keyPair returns the key pair that the token is bound to
 */
export function createDpopScheme(keyPair: () => Promise<webcrypto.CryptoKeyPair>): TokenScheme {
  /** The most recent nonce of each origin (RFC 9449 §8.2). */
  const nonces = new Map<string, string>()
  return {
    async present(request, { accessToken }) {
      const { generateProof } = await import('dpop')
      const origin = originOf(request)
      const [path = ''] = request.path.split(/[?#]/)
      const nonce = nonces.get(origin)
      const proof = await generateProof(await keyPair(), origin + path, request.method, nonce, accessToken)
      return withHeaders(request, { authorization: `DPoP ${accessToken}`, dpop: proof })
    },
    learn(request, statusCode, headers) {
      const nonce = headers['dpop-nonce']
      if (typeof nonce !== 'string') return false
      const origin = originOf(request)
      const isNew = nonces.get(origin) !== nonce
      if (nonces.size >= maxNonces && !nonces.has(origin)) nonces.clear()
      nonces.set(origin, nonce)
      return isNew && statusCode === 401 && asksForNonce(headers['www-authenticate'])
    },
  }
}

function originOf({ origin = '' }: Dispatcher.DispatchOptions): string {
  return typeof origin === 'string' ? new URL(origin).origin : origin.origin
}

/** RFC 9449 §9 */
function asksForNonce(challenge: string | string[] | undefined): boolean {
  return [challenge].flat().some(text => text !== undefined && /\berror="?use_dpop_nonce\b/.test(text))
}
