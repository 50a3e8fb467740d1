import { fetchJwks } from './fetch-jwks.js'
import { discoverMetadata, endpointIn } from './issuer.js'
import type { IssuerConnection, IssuerExchange } from './issuer-connection.js'
import type { Algorithm } from '../keys/algorithms.js'
import { importPublicKey, type Jwk, type PublicKey } from '../keys/public-key.js'

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

/** How long what the metadata says counts, in milliseconds: an issuer may move its keys and leave old ones where they were. */
const metadataMaxAgeMs = 3_600_000

/** Asks the issuer for its keys: metadata (unless `jwksUri` is given), JWK set, usable keys. */
export function fetchKeysOf(
  source: KeySource,
  connection: IssuerConnection,
): () => Promise<readonly PublicKey[]> {
  const importKeys = keyImporter(source.algorithms, source.onIgnored)
  let discovered: { readonly uri: string; readonly at: number; readonly confirmed: boolean } | undefined

  async function whereKeysAre(exchange: IssuerExchange): Promise<string> {
    if (source.jwksUri !== undefined) return source.jwksUri
    const age = discovered === undefined ? Infinity : source.now() - discovered.at
    if (discovered !== undefined && age >= 0 && age < metadataMaxAgeMs) return discovered.uri
    try {
      discovered = { uri: await discoverJwksUri(source, exchange), at: source.now(), confirmed: true }
    } catch (error) {
      // The keys may well be had where they were.
      if (discovered === undefined) throw error
      discovered = { uri: discovered.uri, at: source.now(), confirmed: false }
    }
    return discovered.uri
  }

  return async () => {
    const exchange = connection.exchange()
    try {
      return importKeys(await fetchJwks(await whereKeysAre(exchange), exchange))
    } catch (error) {
      // The issuer may have moved its keys: ask its metadata again next time. Not if that is what took the time.
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
 * Turns JWKs into keys, one and the same object for a JWK that is listed again.
 * @throws {Error} when not one key is usable: that is no healthy answer
 */
export function keyImporter(
  algorithms: readonly Algorithm[],
  onIgnored: (kid: string | undefined, reason: string) => void,
): (jwks: readonly Jwk[]) => readonly PublicKey[] {
  let known = new Map<string, PublicKey | null>()
  return jwks => {
    const imported = new Map<string, PublicKey | null>()
    for (const jwk of jwks) {
      const text = JSON.stringify(jwk)
      const before = known.get(text)
      imported.set(text, before === undefined ? importOne(jwk) : before)
    }
    const usable = [...imported.values()].filter(key => key !== null)
    // What was ignored stays known, so that it is told once; the keys from before may come back.
    if (usable.length === 0) {
      for (const [text, key] of known) if (key !== null) imported.set(text, key)
      known = imported
      throw new Error('the JWK set has no usable key')
    }
    known = imported
    return usable
  }

  function importOne(jwk: Jwk): PublicKey | null {
    try {
      return importPublicKey(jwk, algorithms)
    } catch (error) {
      onIgnored(typeof jwk.kid === 'string' ? jwk.kid : undefined, (error as Error).message)
      return null
    }
  }
}
