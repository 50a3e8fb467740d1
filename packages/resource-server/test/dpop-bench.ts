import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { ResourceServerOptions } from 'fastify-resource-server'
import { hashOf, makeProof, makeProofKey, type ProofKey } from './hand-made-proof.js'
import { startBench, type Bench } from './protected-app.js'

export const origin = 'https://api.example.com'
let made = 0

/** A bench whose API takes tokens that are bound to a client's key (RFC 9449). */
export interface DpopBench extends Bench {
  readonly client: ProofKey
  /** What a right proof for GET /read holds, with these changes. */
  proofClaims(token: string, changes?: Record<string, unknown>): Record<string, unknown>
  /** GET /read with a bound token and this proof; a right one, if none is given. */
  prove(proof?: string | string[], token?: string, url?: string): Promise<LightMyRequestResponse>
  bound(changes?: Record<string, unknown>): string
}

export async function startDpop(
  t: Test,
  dpop: ResourceServerOptions['dpop'] | 'off' = { origin },
  client: ProofKey = makeProofKey(),
): Promise<DpopBench> {
  const bench = await startBench(t, dpop === 'off' ? {} : { dpop })
  const bound = (changes = {}): string => bench.token({ cnf: { jkt: client.thumbprint }, ...changes })
  const proofClaims: DpopBench['proofClaims'] = (token, changes) => ({
    htm: 'GET',
    htu: `${origin}/read`,
    iat: Math.floor(bench.clock.now / 1000),
    jti: `proof-${(made += 1)}`,
    ath: hashOf(token),
    ...changes,
  })
  return {
    ...bench,
    client,
    bound,
    proofClaims,
    prove: (proof, token = bound(), url = '/read') =>
      bench.app.inject({
        url,
        headers: {
          authorization: `DPoP ${token}`,
          dpop: (proof ?? makeProof(client, proofClaims(token, { htu: origin + url }))) as string,
        },
      }),
  }
}
