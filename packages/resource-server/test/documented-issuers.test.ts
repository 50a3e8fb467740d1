import t from 'tap'
import type { ResourceServerOptions } from 'fastify-resource-server'
import { audience, startBench } from './protected-app.js'

/** Tokens as the pages in docs/issuers describe them, and the options that those pages give. */
interface Documented {
  readonly page: string
  readonly options: Partial<ResourceServerOptions>
  readonly header: Record<string, unknown>
  /** Instead of the claims that RFC 9068 requires; `undefined` removes one. */
  readonly claims: Record<string, unknown>
  /** A change that has to be refused. */
  readonly wrong: Record<string, unknown>
  readonly url: string
}

const roles = 'urn:zitadel:iam:org:project:283746592837465928:roles'
const only = (claim: string, values: string[]): object => ({
  type: 'object',
  required: [claim],
  properties: { [claim]: { enum: values } },
})

const documented: readonly Documented[] = [
  {
    page: 'hydra.md',
    options: { profile: 'generic', requiredClaims: ['client_id'] },
    header: { typ: 'JWT' },
    claims: { aud: [audience], scope: undefined, scp: ['read'], ext: {} },
    wrong: { scp: [] },
    url: '/read',
  },
  {
    page: 'zitadel.md',
    options: {
      profile: 'generic',
      claims: {
        type: 'object',
        required: [roles],
        properties: { [roles]: { type: 'object', required: ['writer'] } },
      },
    },
    header: { typ: undefined },
    claims: {
      aud: ['another', audience],
      client_id: undefined,
      azp: 'payment',
      [roles]: { writer: { 1: 'shop.example' } },
    },
    wrong: { [roles]: { reader: { 1: 'shop.example' } } },
    url: '/any',
  },
  {
    page: 'ping.md',
    options: { profile: 'generic', requiredClaims: ['client_id'] },
    header: { typ: undefined },
    claims: { aud: [audience], sub: undefined, env: '1', org: '2' },
    wrong: { client_id: undefined },
    url: '/read',
  },
  {
    page: 'google.md',
    options: {
      profile: 'generic',
      requiredClaims: ['email', 'email_verified'],
      claims: only('email', ['payment@shop.iam.gserviceaccount.com']),
    },
    header: { typ: 'JWT' },
    claims: {
      client_id: undefined,
      azp: '1234',
      scope: undefined,
      jti: undefined,
      email: 'payment@shop.iam.gserviceaccount.com',
      email_verified: true,
    },
    wrong: { email: 'payment@other.iam.gserviceaccount.com' },
    url: '/any',
  },
  {
    page: 'github-actions.md',
    options: { profile: 'generic', claims: only('repository_id', ['7654321']) },
    header: { typ: 'JWT', x5t: 'thumbprint' },
    claims: { client_id: undefined, scope: undefined, repository_id: '7654321', ref: 'refs/heads/main' },
    wrong: { repository_id: '1' },
    url: '/any',
  },
  {
    page: 'kubernetes.md',
    options: { profile: 'generic', claims: only('sub', ['system:serviceaccount:shop:payment']) },
    header: { typ: undefined },
    claims: {
      aud: [audience],
      client_id: undefined,
      scope: undefined,
      sub: 'system:serviceaccount:shop:payment',
      'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'payment' } },
    },
    wrong: { sub: 'system:serviceaccount:shop:default' },
    url: '/any',
  },
]

for (const { page, options, header, claims, wrong, url } of documented)
  t.test(`accepts tokens as docs/issuers/${page} describes them`, async t => {
    const bench = await startBench(t, options)
    t.equal((await bench.call(bench.token(claims, header), url)).statusCode, 200)
    const refused = await bench.call(bench.token({ ...claims, ...wrong }, header), url)
    t.ok([401, 403].includes(refused.statusCode), 'a token of someone else is refused')
    const toOthers = { ...claims, aud: 'https://payments.example.com' }
    t.equal((await bench.call(bench.token(toOthers, header), url)).statusCode, 401)
    t.equal(bench.lastReason(), 'audience')
  })
