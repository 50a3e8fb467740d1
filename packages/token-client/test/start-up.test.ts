import { spawnSync } from 'node:child_process'
import t from 'tap'

/** What a fresh process has loaded, of what takes long to load, once the application is ready. */
function loadedAtStart(options: object): string[] {
  const script = `
    import { createRequire } from 'node:module'
    import fastify from 'fastify'
    import tokenClient from 'fastify-token-client'
    const app = fastify()
    await app.register(tokenClient, ${JSON.stringify(options)})
    await app.ready()
    const files = Object.keys(createRequire(import.meta.url).cache)
    const count = name => files.filter(file => file.includes('/' + name + '/')).length
    console.log(JSON.stringify(['undici', 'typebox'].filter(name => count(name) > 0)))
    process.exit()`
  const args = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', script]
  const cwd = new URL('..', import.meta.url)
  const { stdout, stderr } = spawnSync('env', args, { cwd, encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as string[]
}

const options = {
  name: 'receipts',
  baseUrl: 'https://receipts.example.com',
  tokenEndpoint: 'http://127.0.0.1:1/token',
  clientId: 'payment',
  clientSecret: 'made up',
  prefetch: 'lazy',
}

t.test('the start of an application does not load undici', async t => {
  t.strictSame(loadedAtStart(options), [])
  t.strictSame(
    loadedAtStart({ ...options, interceptors: { retry: true } }),
    ['undici'],
    'unless it checks options of interceptors',
  )
})
