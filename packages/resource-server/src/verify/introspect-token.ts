import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { AccessToken } from '../access-token.js'
import { Refusal } from '../errors.js'
import { checkIntrospectedClaims, type ClaimRules } from '../claims/check-claims.js'
import type { CheckCustomClaims } from '../claims/check-custom-claims.js'
import { lifetimeOf } from '../claims/check-times.js'
import type { IssuerConnection } from './issuer-connection.js'
import { discoverMetadata, endpointIn } from './issuer.js'
import type { Claims } from '../claims/profiles.js'
import { readAccessToken } from '../claims/read-access-token.js'

/** How opaque tokens are asked about (RFC 7662). */
export interface IntrospectionSettings {
  readonly endpoint: string | undefined
  readonly clientId: string
  readonly clientSecret: string | (() => string | Promise<string>)
  /** How long an answer counts, in milliseconds: so long a revoked token still works. */
  readonly cacheMs: number
  readonly allowInsecureHttp: boolean
}

/** What introspection works with. */
export interface IntrospectionContext {
  readonly rules: ClaimRules
  readonly metadataUrl: string | undefined
  readonly connection: IssuerConnection
  readonly checkCustomClaims: CheckCustomClaims
  readonly now: () => number
}

/**
 * Asks the issuer about a token that is no JWT: the token, or a {@link Refusal}, with the reason `unavailable` when the
 * issuer cannot be asked.
 */
export type IntrospectToken = (raw: string) => Promise<AccessToken | Refusal>

const tokensKept = 1_000
/** More questions at once are not asked: a flood of made-up tokens is the issuer's burden otherwise. */
const mostQuestions = 100
const retryAfterMs = 1_000
const maxTokenLength = 16_384

export function createIntrospection(
  settings: IntrospectionSettings,
  context: IntrospectionContext,
): IntrospectToken {
  const { rules, now } = context
  /** Only active tokens, by their hash; each until its answer is too old, or it has ended. */
  const active = new LRUCache<string, Answer>({ max: tokensKept })
  const running = new Map<string, Promise<AccessToken | Refusal>>()
  let endpoint = settings.endpoint

  async function ask(raw: string): Promise<Claims | Refusal> {
    try {
      endpoint ??= await findEndpoint(settings, context)
      return await introspect(raw, endpoint, settings, context)
    } catch (error) {
      endpoint = settings.endpoint
      return unavailable((error as Error).message)
    }
  }

  async function verify(raw: string, hash: string): Promise<AccessToken | Refusal> {
    const claims = await ask(raw)
    if (claims instanceof Refusal) return claims
    if (claims['active'] !== true)
      return new Refusal('inactive', 'the issuer says that the token is not active', {
        issuer: rules.issuer,
      })
    const time = now()
    const refusal = checkIntrospectedClaims(claims, rules, time) ?? context.checkCustomClaims(claims)
    if (refusal !== undefined) return refusal
    const token = readAccessToken(claims, rules)
    const { usableUntil } = lifetimeOf(claims, rules)
    active.set(hash, {
      token,
      since: time,
      until: Math.min(token.expiresAt, usableUntil, time + settings.cacheMs),
    })
    return token
  }

  return raw => {
    if (raw.length > maxTokenLength)
      return Promise.resolve(
        new Refusal('malformed', `the token is longer than ${maxTokenLength} characters`),
      )
    const hash = createHash('sha256').update(raw).digest('base64url')
    const known = active.get(hash)
    if (known !== undefined && counts(known, now())) return Promise.resolve(known.token)
    let asked = running.get(hash)
    if (asked === undefined) {
      if (running.size >= mostQuestions)
        return Promise.resolve(unavailable(`${mostQuestions} requests are in flight already`))
      asked = verify(raw, hash).finally(() => running.delete(hash))
      running.set(hash, asked)
    }
    return asked
  }
}

function unavailable(detail: string): Refusal {
  return new Refusal('unavailable', `introspection: ${detail}`, { retryAfterMs })
}

/** What the issuer said of an active token; times in milliseconds since the epoch. */
interface Answer {
  readonly token: AccessToken
  readonly since: number
  readonly until: number
}

/** Where the clock was set back to before the answer, nobody can tell how old it is. */
function counts({ since, until }: Answer, time: number): boolean {
  return time >= since && time < until
}

async function findEndpoint(
  { allowInsecureHttp }: IntrospectionSettings,
  { rules, metadataUrl, connection }: IntrospectionContext,
): Promise<string> {
  const metadata = await discoverMetadata(rules.issuer, metadataUrl, connection)
  return endpointIn(metadata, 'introspection_endpoint', allowInsecureHttp)
}

/** RFC 7662 §2.1, §2.2; what is on the wire is oauth4webapi's. */
async function introspect(
  raw: string,
  endpoint: string,
  { clientId, clientSecret }: IntrospectionSettings,
  { rules, connection }: IntrospectionContext,
): Promise<Claims> {
  const oauth = await import('oauth4webapi')
  const { fetch } = await import('undici')
  const dispatcher = await connection.dispatcher()
  const server = { issuer: rules.issuer, introspection_endpoint: endpoint }
  const client = { client_id: clientId }
  const signal = AbortSignal.timeout(connection.timeoutMs)
  const secret = typeof clientSecret === 'string' ? clientSecret : await inTime(clientSecret(), signal)
  const response = await oauth.introspectionRequest(server, client, oauth.ClientSecretBasic(secret), raw, {
    [oauth.allowInsecureRequests]: true, // which plain http is allowed was settled when the options were parsed
    [oauth.customFetch]: (url: string, options: object) =>
      fetch(url, {
        ...options,
        dispatcher,
        redirect: 'error',
        signal,
      }),
    additionalParameters: { token_type_hint: 'access_token' },
  })
  if (response.status !== 200) throw new Error(`${endpoint} answers ${response.status}`)
  // `iss` is optional there (RFC 7662 §2.2), and the answer comes from nobody else.
  return { iss: rules.issuer, ...(await oauth.processIntrospectionResponse(server, client, response)) }
}

/** A secret that is fetched from elsewhere is not waited for longer than the issuer is. */
function inTime<T>(value: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('the client secret does not come')), {
      once: true,
    })
    Promise.resolve(value).then(resolve, reject)
  })
}
