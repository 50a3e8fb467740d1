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

/** Where one issuer's keys come from, and which may be used. */
export interface KeySource {
  readonly issuer: string
  readonly jwksUri: string | undefined
  readonly metadataUrl: string | undefined
  readonly algorithms: readonly Algorithm[]
  readonly allowInsecureHttp: boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Called once for each key of the issuer that cannot be used, with the reason. */
  readonly onIgnored: (kid: string | undefined, reason: string) => void
}

/** How long metadata is fresh, in milliseconds: an issuer may move its keys and leave the old ones in their place. */
const metadataMaxAgeMs = 3_600_000

/** Requests the issuer's keys; the wanted one is undefined when keys are fetched ahead. */
export type FetchKeys = (wanted?: WantedKey) => Promise<readonly PublicKey[]>

const anyKey: WantedKey = { kid: undefined, algorithm: undefined }

/** Makes the function that fetches an issuer's keys: metadata (unless `jwksUri` is given), JWK set, usable keys. */
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
      // The keys may still be where they were.
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
      // The issuer may have moved its keys, so ask for its metadata next time, unless discovery itself caused the timeout.
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
 * Turns the entries of a JWK set into keys. A JWK that is listed again gives the same object as before. An entry that
 * cannot be used is reported once and costs no other key.
 * @throws {Error} when no key is usable: such an answer is an outage, and withdraws nothing
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
    // Ignored entries stay known, so that each is reported once; the previous keys may come back.
    if (usable.length === 0) {
      for (const [text, key] of known) if (key !== null) imported.set(text, key)
      known = imported
      throw new Error('the JWK set has no usable key')
    }
    known = imported
    return usable
  }

  function importOne(entry: unknown): PublicKey | null {
    // The cast: `importPublicKey` checks each member that it reads.
    const jwk = (isObject(entry) ? entry : {}) as Jwk
    try {
      if (!isObject(entry)) throw new Error('it is not a JSON object')
      return importPublicKey(jwk, algorithms)
    } catch (error) {
      onIgnored(typeof jwk.kid === 'string' ? jwk.kid : undefined, (error as Error).message)
      return null
    }
  }
}
