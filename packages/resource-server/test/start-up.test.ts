import { spawnSync } from 'node:child_process'
import t from 'tap'

t.test('does not load modules at start that only requests need', async t => {
  const script = `
    import { createRequire } from 'node:module'
    import fastify from 'fastify'
    import resourceServer from 'fastify-resource-server'
    const app = fastify()
    // Runs before the plugin's own hook, which starts to fetch keys and waits for nothing.
    let files
    app.addHook('onReady', async () => { files = Object.keys(createRequire(import.meta.url).cache) })
    await app.register(resourceServer, { issuer: 'http://127.0.0.1:1', audience: 'https://api.example.com' })
    await app.ready()
    const count = name => files.filter(file => file.includes('/node_modules/' + name + '/')).length
    console.log(JSON.stringify(['fastify', '@fastify/jwt', 'get-jwks', 'undici', 'typebox'].filter(name => count(name) > 0)))
    process.exit()`
  const args = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e', script]
  const { stdout, stderr } = spawnSync('env', args, { cwd: new URL('..', import.meta.url), encoding: 'utf8' })
  t.equal(stderr, '')
  t.strictSame(JSON.parse(stdout), ['fastify'])
})
