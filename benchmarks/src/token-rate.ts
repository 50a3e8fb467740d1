// Signs tokens for a while in a fresh process: `node token-rate.js <issuer> <alg> <seconds>` prints tokens per second.
type SignToken = () => Promise<string>

const audience = 'https://api.example.com'

const issuers: Readonly<Record<string, (algorithm: 'ES256' | 'RS256') => Promise<SignToken>>> = {
  async 'oauth-test-issuer'(algorithm) {
    const { createTestIssuer } = await import('oauth-test-issuer')
    const issuer = await createTestIssuer({ algorithm })
    return () => issuer.token({ audience, scopes: ['receipts:write'] })
  },
  async 'oauth2-mock-server'(algorithm) {
    const { OAuth2Server } = await import('oauth2-mock-server')
    const { issuer } = new OAuth2Server()
    issuer.url = 'http://localhost'
    await issuer.keys.generate(algorithm)
    return () =>
      issuer.buildToken({
        scopesOrTransform: (_header, payload) => {
          Object.assign(payload, { aud: audience, scope: 'receipts:write' })
        },
      })
  },
}

const [name = '', algorithm, seconds] = process.argv.slice(2)
const sign = await issuers[name]?.(algorithm as 'ES256' | 'RS256')
if (sign === undefined) throw new Error(`there is no issuer ${name}`)
for (let warmUp = 0; warmUp < 200; warmUp += 1) await sign()
const startedAt = performance.now()
const until = startedAt + Number(seconds) * 1000
let tokens = 0
for (; performance.now() < until; tokens += 1) await sign()
const rate = (tokens * 1000) / (performance.now() - startedAt)
process.stdout.write(JSON.stringify(rate), () => process.exit())
