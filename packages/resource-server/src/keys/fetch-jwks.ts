import { isObject } from 'declared-options'
import {
  describeAnswer,
  IssuerConnectionError,
  jsonObjectIn,
  type IssuerAnswer,
  type IssuerExchange,
} from 'oauth-issuer-connection'
import { answerWith, type PreparedAnswer } from './answering-dispatcher.js'
import { entriesOf } from './clean-jwk-set.js'

/**
 * The `kid` and `alg` from the header of the token for which the keys are fetched. Both are undefined if the keys are
 * not fetched for a particular token.
 */
export interface WantedKey {
  readonly kid: string | undefined
  readonly algorithm: string | undefined
}

/**
 * The size limit of a JWK set in bytes. It is larger than the 64 KiB limit for other responses, because multi-tenant
 * authorization servers publish many keys.
 */
const maxBytes = 262_144

/**
 * Fetches a JWK set (RFC 7517 §5) and returns its entries, which may be invalid. get-jwks requests and validates the
 * JWK set, but returns only one key. This package needs all entries, to detect withdrawn keys and to find the key for a
 * token without `kid`. This function therefore reads the entries from the response that get-jwks receives
 * (docs/decisions/get-jwks.md).
 * @throws {IssuerConnectionError} if the response does not arrive in time or is not a JWK set with at least one key
 */
export async function fetchJwks(
  uri: string,
  wanted: WantedKey,
  exchange: Pick<IssuerExchange, 'request'>,
): Promise<readonly unknown[]> {
  let reading: Promise<ReadJwkSet> | undefined
  const dispatcher = await answerWith(async () => prepare(await (reading ??= readJwkSet(uri, exchange))))
  const { origin, pathname, search } = new URL(uri)
  const getJwks: GetJwksModule = await import('get-jwks')
  // Each request creates a new get-jwks instance, because the cache of a shared instance could still contain keys that the issuer has withdrawn.
  const keys = getJwks.default({
    max: 1,
    jwksPath: `${pathname}${search}`,
    fetchOptions: { dispatcher, redirect: 'error' },
  })
  const failure = await keys
    .getJwk({ domain: origin, kid: wanted.kid, alg: wanted.algorithm })
    .then(() => undefined, whyUnhealthy)
  if (reading === undefined) throw failure ?? new Error('get-jwks made no request')
  const { answer, entries } = await reading
  if (failure !== undefined)
    throw new IssuerConnectionError(
      answer.status === 200 && jsonObjectIn(answer) !== undefined
        ? `${uri} responded with JSON without keys; expected a JWK set`
        : describeAnswer(answer),
      { status: answer.status, cause: failure },
    )
  return entries
}

/**
 * The part of get-jwks that this package uses. The types of get-jwks require `kid` and `alg`, although both are
 * optional according to its documentation.
 */
interface GetJwksModule {
  default(options?: { max?: number; jwksPath?: string; fetchOptions?: object }): {
    getJwk(wanted: { domain: string; kid: string | undefined; alg: string | undefined }): Promise<unknown>
  }
}

/**
 * Returns undefined for the error `JWK_NOT_FOUND`, because the JWK set is valid even if it does not contain the
 * wanted key.
 */
function whyUnhealthy(error: unknown): Error | undefined {
  const isHealthy = (error as { code?: unknown }).code === 'JWK_NOT_FOUND'
  return isHealthy ? undefined : (error as Error)
}

interface ReadJwkSet {
  readonly answer: IssuerAnswer
  readonly entries: readonly unknown[]
}

async function readJwkSet(uri: string, exchange: Pick<IssuerExchange, 'request'>): Promise<ReadJwkSet> {
  const answer = await exchange.request(uri, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    maxBytes,
  })
  return { answer, entries: entriesOf(jsonObjectIn(answer) ?? {}) ?? [] }
}

/** Removes JWK set entries that are not objects, because they would make get-jwks throw an error. */
function prepare({ answer, entries }: ReadJwkSet): PreparedAnswer {
  const isSet = answer.status === 200 && jsonObjectIn(answer) !== undefined
  const body = isSet ? JSON.stringify({ keys: entries.filter(isObject) }) : (answer.text ?? '')
  return { status: answer.status, body }
}
