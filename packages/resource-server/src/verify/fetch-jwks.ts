import type { Dispatcher } from 'undici'
import { maxBytes, parseJson, type IssuerExchange } from './issuer-connection.js'
import type { Jwk } from '../keys/public-key.js'

/**
 * Fetches a JWK set (RFC 7517 §5).
 *
 * get-jwks does the request and tells a healthy answer from a failure. It hands out one key by its id; which keys
 * are *no longer* listed, and which key fits a token without a kid, only the whole set can tell, so the answer is
 * read as it passes by (docs/decisions/get-jwks.md). Each fetch gets a get-jwks of its own: it keeps nothing.
 * @throws {Error} when there is no answer in time, no JSON, another status than 200 or no key at all
 */
export async function fetchJwks(uri: string, exchange: IssuerExchange): Promise<readonly Jwk[]> {
  const { default: buildGetJwks } = await import('get-jwks')
  const { origin, pathname, search } = new URL(uri)
  const answer: Answer = { status: undefined, chunks: [], isComplete: false }
  const fetchOptions = {
    dispatcher: (await exchange.dispatcher()).compose(record(answer)),
    redirect: 'error',
    signal: exchange.signal(),
    // What passes by has to be readable, and its size is bounded as it stands.
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
  }
  const { getJwk } = buildGetJwks({
    max: 1,
    jwksPath: `${pathname}${search}`,
    fetchOptions: fetchOptions as never,
  })
  try {
    await getJwk({ domain: origin, kid: '' } as never)
  } catch (error) {
    // A healthy set that has no key with this id: the only answer looked for here.
    if ((error as { code?: string }).code !== 'JWK_NOT_FOUND')
      throw new Error(whatIsWrong(answer, error as Error, uri), { cause: error })
  }
  const { keys } = parseJson(answer.chunks, uri) as { keys: unknown[] }
  return keys.filter((key): key is Jwk => typeof key === 'object' && key !== null)
}

/** What the issuer said, as far as it came. */
interface Answer {
  status: number | undefined
  readonly chunks: Uint8Array[]
  isComplete: boolean
}

/** For the operator: get-jwks reads the body before it looks at the status, and trips over what is none. */
function whatIsWrong({ status, chunks, isComplete }: Answer, error: Error, uri: string): string {
  if (status !== undefined && status !== 200) return `${uri} answers ${status}`
  if (!isComplete) return `${uri}: ${(error.cause as Error | undefined)?.message ?? error.message}`
  parseJson(chunks, uri)
  return `${uri} holds no keys`
}

function record(into: Answer): Dispatcher.DispatcherComposeInterceptor {
  let size = 0
  return dispatch => (options, handler) =>
    dispatch(options, {
      onRequestStart: (...args) => handler.onRequestStart?.(...args),
      onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
      onResponseStart(controller, status, ...rest) {
        into.status = status
        handler.onResponseStart?.(controller, status, ...rest)
      },
      onResponseData(controller, chunk) {
        size += chunk.length
        if (size > maxBytes) {
          controller.abort(new Error(`the answer has more than ${maxBytes} bytes`))
          return
        }
        into.chunks.push(chunk)
        handler.onResponseData?.(controller, chunk)
      },
      onResponseEnd(...args) {
        into.isComplete = true
        handler.onResponseEnd?.(...args)
      },
      onResponseError: (...args) => handler.onResponseError?.(...args),
    })
}
