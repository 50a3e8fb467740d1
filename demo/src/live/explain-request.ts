import type { FastifyRequest } from 'fastify'
import type { CheckName, ExplainedCheck } from 'fastify-resource-server'
import type { Check } from './exchange.js'

/** Verification step → its question, and the end of the sentence “refuses the token: …” if it fails. */
const words: Readonly<Record<CheckName, readonly [question: string, refusal: string]>> = {
  format: ['Can it be read?', 'it cannot be read'],
  algorithm: ['Is it signed with a private key?', 'it is not signed with a private key'],
  'trusted issuer': ['Which trusted issuer is it from?', 'it comes from another issuer'],
  'allowed algorithm': ['May the issuer sign it this way?', 'it is signed in a way that is not allowed'],
  typ: ['Is it an access token?', 'it is not an access token'],
  kind: ['Do its claims belong to an access token?', 'it is not an access token'],
  'required claims': ['Does it have every claim that is required?', 'it lacks a claim that it must have'],
  'claim types': ['Does each claim have a value of its type?', 'a claim has a value of another type'],
  iss: ['Is it from the issuer this service trusts?', 'it comes from another issuer'],
  exp: ['Is it still valid?', 'it has expired'],
  nbf: ['Has its validity begun?', 'it is not valid yet'],
  iat: ['Was it issued in the past?', 'it is not valid yet'],
  age: ['Is it recent enough?', 'it is too old'],
  audience: ['Was it issued for this service?', 'it was issued for another service'],
  key: ['Which key of the issuer signed it?', 'the issuer did not sign it with a key that it lists'],
  signature: ['Did the issuer sign it?', 'the issuer did not sign it'],
  'claims schema': ['Do its claims fit what this service expects?', 'its claims do not fit'],
  introspection: ['What does the issuer say about it?', 'the issuer says that it is not valid'],
  revoked: ['Was it revoked?', 'it was revoked'],
  binding: ['Is it bound to a key of the caller?', 'the caller did not prove that the token is its own'],
  scopes: ['Does it allow this request?', 'it does not allow this request'],
  authentication: ['Did the user log in as required?', 'the user has to log in again'],
}

const noToken: Check = {
  name: 'token',
  question: 'Is there exactly one token?',
  outcome: 'failed',
  finding: 'no bearer token was sent',
  refusal: 'there is none',
  option: 'route: config.oauth',
}

/**
 * Lets the called service explain the token of a request.
 * @param refusal why the request was refused. The explanation may differ, because it verifies the token a second time
 */
export async function checksOf(
  request: FastifyRequest,
  refusal: { readonly reason?: string; readonly detail?: string | undefined } = {},
): Promise<readonly Check[]> {
  const { server, headers, routeOptions } = request
  const [, token] = /^bearer +(.+)$/i.exec(headers.authorization ?? '') ?? []
  if (token === undefined) return [noToken]
  const { oauth: rule } = routeOptions.config
  const { checks } = await server.oauth.explain(token, rule === false ? undefined : rule)
  const first = checks.find(({ result }) => result === 'failed')
  const differs = refusal.reason !== undefined && refusal.reason !== first?.reason
  return checks
    .filter(({ result }) => result !== 'skipped')
    .map(check => toCheck(check === first && differs ? { ...check, detail: refusal.detail ?? '' } : check))
}

function toCheck({ name, result, found, option, detail }: ExplainedCheck): Check {
  const [question, refusal] = words[name]
  const finding = [detail, found].filter(Boolean).join(': ')
  return { name, question, refusal, option, finding, outcome: result }
}
