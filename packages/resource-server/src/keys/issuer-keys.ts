import { isObject } from 'declared-options'
import {
  discoverMetadata,
  endpointIn,
  type IssuerConnection,
  type IssuerExchange,
} from 'oauth-issuer-connection'
import type { Algorithm } from './algorithms.js'
import { fetchJwks, type WantedKey } from './fetch-jwks.js'
import { importPublicKey, type Jwk, type PublicKey } from './public-key.js'

/** Where an issuer's keys are fetched from, and which signature algorithms are allowed. */
export interface KeySource {
  readonly issuer: string
  readonly jwksUri: string | undefined
  readonly metadataUrl: string | undefined
  readonly algorithms: readonly Algorithm[]
  readonly allowInsecureHttp: boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Called once for each unusable key of the issuer, with the reason. */
  readonly onIgnored: (kid: string | undefined, reason: string) => void
}

/**
 * How long metadata is cached, in milliseconds. The cached metadata must expire, because an issuer may publish new keys
 * at another URL while the old URL still works.
 */
const metadataMaxAgeMs = 3_600_000

/** Fetches the keys of an issuer. `wanted` is undefined if the keys are not fetched for a particular token. */
export type FetchKeys = (wanted?: WantedKey) => Promise<readonly PublicKey[]>

const anyKey: WantedKey = { kid: undefined, algorithm: undefined }

/**
 * Creates a function that fetches an issuer's JWK set and imports its keys. If `jwksUri` is not set, the function
 * first fetches the issuer's metadata.
 */
export function fetchKeysOf(source: KeySource, connection: Pick<IssuerConnection, 'exchange'>): FetchKeys {
  const importKeys = keyImporter(source.algorithms, source.onIgnored)
  let discovered: { readonly uri: string; readonly at: number; readonly confirmed: boolean } | undefined

  async function whereKeysAre(exchange: IssuerExchange): Promise<string> {
    if (source.jwksUri !== undefined) return source.jwksUri
    const age = discovered === undefined ? Infinity : source.now() - discovered.at
    if (discovered !== undefined && age >= 0 && age < metadataMaxAgeMs) return discovered.uri
    try {
      discovered = { uri: await discoverJwksUri(source, exchange), at: source.now(), confirmed: true }
    } catch (error) {
      // If the issuer's metadata cannot be fetched again, the `jwks_uri` from the previous metadata is used.
      if (discovered === undefined) throw error
      discovered = { uri: discovered.uri, at: source.now(), confirmed: false }
    }
    return discovered.uri
  }

  return async (wanted = anyKey) => {
    const exchange = connection.exchange()
    try {
      return importKeys(await fetchJwks(await whereKeysAre(exchange), wanted, exchange))
    } catch (error) {
      // Fetching the keys may have failed because the issuer moved them to another URL, so the next attempt fetches the metadata again, unless fetching the metadata has just failed too.
      discovered = discovered?.confirmed === false ? { ...discovered, confirmed: true } : undefined
      throw error
    }
  }
}

async function discoverJwksUri(
  { issuer, metadataUrl, allowInsecureHttp }: KeySource,
  exchange: IssuerExchange,
): Promise<string> {
  return endpointIn(await discoverMetadata(issuer, metadataUrl, exchange), 'jwks_uri', allowInsecureHttp)
}

/**
 * Returns a function that imports the entries of a JWK set. If an entry was already in the previous JWK set, the
 * existing key object is returned. Each unusable entry is reported once.
 * @throws {Error} if no key is usable. This error is treated as an outage of the issuer, so the previous keys are not
 * withdrawn
 */
export function keyImporter(
  algorithms: readonly Algorithm[],
  onIgnored: (kid: string | undefined, reason: string) => void,
): (entries: readonly unknown[]) => readonly PublicKey[] {
  let known = new Map<string, PublicKey | null>()
  return entries => {
    const imported = new Map<string, PublicKey | null>()
    for (const entry of entries) {
      const text = JSON.stringify(entry)
      if (imported.has(text)) continue
      const before = known.get(text)
      imported.set(text, before === undefined ? importOne(entry) : before)
    }
    const usable = [...imported.values()].filter(key => key !== null)
    // `known` keeps unusable entries, so that each is reported only once. It also keeps the keys from the previous JWK set, in case the issuer lists them again.
    if (usable.length === 0) {
      for (const [text, key] of known) if (key !== null) imported.set(text, key)
      known = imported
      throw new Error('the JWK set contains no usable key')
    }
    known = imported
    return usable
  }

  function importOne(entry: unknown): PublicKey | null {
    // The cast is safe because `importPublicKey` checks each member that it reads.
    const jwk = (isObject(entry) ? entry : {}) as Jwk
    try {
      if (!isObject(entry)) throw new Error('the key is not a JSON object')
      return importPublicKey(jwk, algorithms)
    } catch (error) {
      onIgnored(typeof jwk.kid === 'string' ? jwk.kid : undefined, (error as Error).message)
      return null
    }
  }
}
