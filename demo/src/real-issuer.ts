import { readFileSync } from 'node:fs'
import type { CallsWith, ProtectedBy } from './config.js'
import { choice, EnvironmentError, given, type Environment } from './environment.js'

/** How the demo's services use an issuer that is not the demo's own. */
export interface RealIssuer {
  protect(api: ApiName): ProtectedBy
  call(api: ApiName, baseUrl: string): CallsWith
}

/** An API, and who calls it. */
export type ApiName = 'payments' | 'receipts'
const callers: Readonly<Record<ApiName, string>> = { payments: 'STOREFRONT', receipts: 'PAYMENT_SERVICE' }

const profiles = ['rfc9068', 'generic', 'entra', 'auth0', 'keycloak', 'okta', 'cognito'] as const

/** Whether the environment names an issuer. */
export function isIssuerReal(env: Environment): boolean {
  return given(env, 'ISSUER') !== undefined
}

/**
 * Reads an issuer from the environment; undefined when there is no `ISSUER`, and the demo brings its own. A name with the
 * service in front (`RECEIPTS_AUDIENCE`, `STOREFRONT_CLIENT_ID`) wins over the one without.
 * @throws {EnvironmentError} naming the variable, and what it wants
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
    missing(`AUDIENCE or ${api.toUpperCase()}_AUDIENCE`, 'what tokens for the API have in `aud`')

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

/** A secret, or a private key with or without a certificate. */
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
      'the client’s secret; or give PRIVATE_KEY_FILE, and with Entra ID CERTIFICATE_FILE',
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

/** Plain http to another machine, such as a container beside this one: never a default. */
function insecureHttp(env: Environment): { allowInsecureHttp?: true } {
  return choice(env, 'ALLOW_INSECURE_HTTP', ['true', 'false']) === 'true' ? { allowInsecureHttp: true } : {}
}

function missing(name: string, wanted: string): never {
  throw new EnvironmentError(`ISSUER is set, so ${name} is needed: ${wanted}`)
}

/** `{ [name]: value }`, or nothing where there is no value: exact optional properties. */
function set<N extends string, V extends string>(name: N, value: V | undefined): { [key in N]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [key in N]: V })
}
