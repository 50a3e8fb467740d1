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

/** The key that a token needs; both undefined when keys are fetched ahead. */
export interface WantedKey {
  readonly kid: string | undefined
  readonly algorithm: string | undefined
}

/** Room for the keys of a server with many tenants; other answers are limited to 64 KiB. */
const maxBytes = 262_144

/**
 * Fetches a JWK set (RFC 7517 §5): its entries, of which some may not be keys.
 *
 * get-jwks makes the request, validates the set and looks for the wanted key. It returns that one key only, but a key
 * that is no longer listed, and the key for a token without `kid`, can be found in the whole set alone. So the set is
 * read from the same cleaned bytes that get-jwks is given (docs/decisions/get-jwks.md).
 * @throws {IssuerConnectionError} when there is no answer in time, or it is not a JWK set with at least one key
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
  // A new one for each request: its cache would keep keys that the issuer has withdrawn.
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
        ? `${uri} answers 200 with JSON that has no keys, expected a JWK set`
        : describeAnswer(answer),
      { status: answer.status, cause: failure },
    )
  return entries
}

/** The part of get-jwks that is used. Its own types require `kid` and `alg`, which it documents as optional. */
interface GetJwksModule {
  default(options?: { max?: number; jwksPath?: string; fetchOptions?: object }): {
    getJwk(wanted: { domain: string; kid: string | undefined; alg: string | undefined }): Promise<unknown>
  }
}

/** A healthy set that does not list the wanted key is not a failure: the key may be unknown, or none was wanted. */
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

/** get-jwks trips over entries that are not objects, so it is not shown them. */
function prepare({ answer, entries }: ReadJwkSet): PreparedAnswer {
  const isSet = answer.status === 200 && jsonObjectIn(answer) !== undefined
  const body = isSet ? JSON.stringify({ keys: entries.filter(isObject) }) : (answer.text ?? '')
  return { status: answer.status, body }
}
