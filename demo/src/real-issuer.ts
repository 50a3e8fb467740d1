import { readFileSync } from 'node:fs'
import type { CallsWith, ProtectedBy } from './config.js'
import { choice, EnvironmentError, given, type Environment } from './environment.js'

/** How the services use an external issuer. */
export interface RealIssuer {
  protect(api: ApiName): ProtectedBy
  call(api: ApiName, baseUrl: string): CallsWith
}

/** An API and its caller. */
export type ApiName = 'payments' | 'receipts'
const callers: Readonly<Record<ApiName, string>> = { payments: 'STOREFRONT', receipts: 'PAYMENT_SERVICE' }

const profiles = ['rfc9068', 'generic', 'entra', 'auth0', 'keycloak', 'okta', 'cognito'] as const

/** Whether the environment names an issuer. */
export function isIssuerReal(env: Environment): boolean {
  return given(env, 'ISSUER') !== undefined
}

/**
 * Reads the settings of an issuer from the environment; undefined if `ISSUER` is not set. A variable with the service's
 * name in front (`RECEIPTS_AUDIENCE`, `STOREFRONT_CLIENT_ID`) takes precedence.
 * @throws {EnvironmentError} naming the variable and the expected value
 */
export function readRealIssuer(env: Environment): RealIssuer | undefined {
  const issuer = given(env, 'ISSUER')
  if (issuer === undefined) return undefined
  const profile = choice(env, 'PROFILE', profiles) ?? 'rfc9068'
  const insecure = insecureHttp(env)
  const of = (owner: string, name: string): string | undefined =>
    given(env, `${owner}_${name}`) ?? given(env, name)
  const audienceOf = (api: ApiName): string =>
    of(api.toUpperCase(), 'AUDIENCE') ??
    missing(`AUDIENCE or ${api.toUpperCase()}_AUDIENCE`, 'the value of `aud` in tokens for the API')

  return {
    protect: api => ({
      issuer,
      audience: audienceOf(api),
      verification: { profile, ...set('metadataUrl', given(env, 'METADATA_URL')), ...insecure },
    }),
    call(api, baseUrl) {
      const owner = callers[api]
      return {
        baseUrl,
        issuer,
        profile,
        ...set('tokenEndpoint', given(env, 'TOKEN_ENDPOINT')),
        clientId:
          of(owner, 'CLIENT_ID') ??
          missing(`CLIENT_ID or ${owner}_CLIENT_ID`, 'the client’s identifier at the issuer'),
        ...credentials(name => of(owner, name), owner),
        audience: of(api.toUpperCase(), 'RESOURCE') ?? audienceOf(api),
        ...insecure,
      }
    },
  }
}

type Credentials = Pick<
  CallsWith,
  | 'clientSecret'
  | 'clientAuthentication'
  | 'privateKey'
  | 'keyId'
  | 'keyAlgorithm'
  | 'assertionAudience'
  | 'certificate'
>

/** Reads a secret, or a private key with an optional certificate. */
function credentials(of: (name: string) => string | undefined, owner: string): Credentials {
  const chosen = <T extends string>(name: string, choices: readonly T[]): T | undefined =>
    choice({ [name]: of(name) }, name, choices)
  const assertionAudience = chosen('ASSERTION_AUDIENCE', ['issuer', 'token_endpoint'])
  const clientSecret = of('CLIENT_SECRET')
  const keyFile = of('PRIVATE_KEY_FILE')
  const certificateFile = of('CERTIFICATE_FILE')
  if (keyFile !== undefined)
    return {
      privateKey: readFile(keyFile, 'PRIVATE_KEY_FILE'),
      ...set('keyId', of('KEY_ID')),
      ...set('keyAlgorithm', of('KEY_ALGORITHM')),
      ...set('assertionAudience', assertionAudience),
      ...set(
        'certificate',
        certificateFile === undefined ? undefined : readFile(certificateFile, 'CERTIFICATE_FILE'),
      ),
    }
  if (clientSecret === undefined)
    return missing(
      `CLIENT_SECRET or ${owner}_CLIENT_SECRET`,
      'the client’s secret. Alternatively, set PRIVATE_KEY_FILE and, for Entra ID, CERTIFICATE_FILE',
    )
  const method = chosen('CLIENT_AUTHENTICATION', [
    'client_secret_basic',
    'client_secret_post',
    'client_secret_basic_unencoded',
  ])
  return { clientSecret, ...set('clientAuthentication', method) }
}

function readFile(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new EnvironmentError(`${name} is ${path}, which cannot be read: ${(error as Error).message}`)
  }
}

/** Allows plain HTTP to another host, such as a container on this machine. It is never the default. */
function insecureHttp(env: Environment): { allowInsecureHttp?: true } {
  return choice(env, 'ALLOW_INSECURE_HTTP', ['true', 'false']) === 'true' ? { allowInsecureHttp: true } : {}
}

function missing(name: string, wanted: string): never {
  throw new EnvironmentError(`ISSUER is set, so ${name} is needed: ${wanted}`)
}

/** Returns `{ [name]: value }`, or `{}` if the value is undefined, for exact optional properties. */
function set<N extends string, V extends string>(name: N, value: V | undefined): { [key in N]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [key in N]: V })
}
