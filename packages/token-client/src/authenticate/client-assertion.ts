import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import {
  modifyAssertion,
  PrivateKeyJwt,
  type AuthorizationServer,
  type ClientAuth,
  type ModifyAssertionOptions,
} from 'oauth4webapi'
import { provide, type ProvideContext, type Provided } from './provide.js'
import { importPrivateKey, privateKeyObject, type PrivateKeyInput } from './private-key.js'

/** Whom an assertion is for (RFC 7523 §3): servers differ. */
export type AssertionAudience = 'issuer' | 'token_endpoint'

/** Signs for a client whose key is kept elsewhere: in a KMS or an HSM. */
export type SignAssertion = (data: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** What client assertions are signed with (RFC 7523 §2.2). */
export type AssertionKey =
  | {
      readonly key: Provided<PrivateKeyInput>
      readonly algorithm: string | undefined
      readonly rsaAlgorithm: string
      readonly keyId: string | undefined
      readonly certificate: Provided<string> | undefined
    }
  | {
      readonly sign: SignAssertion
      readonly algorithm: string
      readonly keyId: string | undefined
      readonly certificate: Provided<string> | undefined
    }

type AssertionHeader = Record<string, string | string[]>

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Seconds. */
const assertionLifetime = 60

/** `private_key_jwt`: an assertion for each token request, signed here or elsewhere. */
export async function keyAssertion(
  key: AssertionKey,
  audience: AssertionAudience,
  context: ProvideContext,
): Promise<ClientAuth> {
  const certificate = key.certificate === undefined ? undefined : await provide(key.certificate, context)
  const header: AssertionHeader = {
    ...(key.keyId === undefined ? {} : { kid: key.keyId }),
    ...(certificate === undefined ? {} : certificateHeader(certificate)),
  }
  if ('sign' in key) return signedElsewhere(key, header, audience)
  const input = await provide(key.key, context)
  if (certificate !== undefined) checkPair(certificate, input)
  const privateKey = await importPrivateKey(input, key.algorithm, key.rsaAlgorithm)
  return addressed(audience, options => PrivateKeyJwt(privateKey, options), header)
}

/** An assertion that somebody else made: a workload's federated token (RFC 7521 §4.2). */
export function assertedElsewhere(assertion: string): ClientAuth {
  return (_server, { client_id: clientId }, body) => addAssertion(body, clientId, assertion.trim())
}

function addAssertion(body: URLSearchParams, clientId: string, assertion: string): void {
  body.set('client_id', clientId)
  body.set('client_assertion_type', assertionType)
  body.set('client_assertion', assertion)
}

/** Assertions of oauth4webapi, which addresses them to the issuer, with the audience that the server wants. */
export function addressed(
  audience: AssertionAudience,
  make: (options: ModifyAssertionOptions) => ClientAuth,
  added: AssertionHeader = {},
): ClientAuth {
  return (server, client, body, headers) =>
    make({
      [modifyAssertion](header, payload) {
        Object.assign(header, added)
        Object.assign(payload, claimsOf(audience, server))
      },
    })(server, client, body, headers)
}

/** Dated by the machine's clock whatever the client goes by: the server compares it with its own. */
function claimsOf(audience: AssertionAudience, { issuer, token_endpoint }: AuthorizationServer) {
  const seconds = Math.floor(Date.now() / 1000)
  return {
    aud: audience === 'issuer' ? issuer : token_endpoint,
    iat: seconds,
    nbf: seconds,
    exp: seconds + assertionLifetime,
  }
}

function signedElsewhere(
  { sign, algorithm }: Extract<AssertionKey, { sign: unknown }>,
  header: AssertionHeader,
  audience: AssertionAudience,
): ClientAuth {
  return async (server, { client_id: clientId }, body) => {
    const claims = { iss: clientId, sub: clientId, jti: randomUUID(), ...claimsOf(audience, server) }
    const input = `${encode({ alg: algorithm, typ: 'JWT', ...header })}.${encode(claims)}`
    const signature = Buffer.from(await sign(Buffer.from(input))).toString('base64url')
    addAssertion(body, clientId, `${input}.${signature}`)
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Names the certificate in every way servers look for (RFC 7515 §4.1.6–8): the chain and both thumbprints. */
function certificateHeader(pem: string): AssertionHeader {
  const chain = (pem.match(pemBlock) ?? []).map(block => new X509Certificate(block).raw)
  const [first] = chain
  if (first === undefined) throw new TypeError('the certificate is no PEM text')
  const thumbprint = (hash: string): string => createHash(hash).update(first).digest('base64url')
  return {
    x5t: thumbprint('sha1'),
    'x5t#S256': thumbprint('sha256'),
    x5c: chain.map(raw => raw.toString('base64')),
  }
}

function checkPair(certificate: string, key: PrivateKeyInput): void {
  if (!new X509Certificate(certificate).checkPrivateKey(privateKeyObject(key)))
    throw new TypeError('the certificate is not for this private key')
}
