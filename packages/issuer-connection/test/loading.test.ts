import { register } from 'node:module'
import t from 'tap'
import { connectToIssuer } from 'oauth-issuer-connection'
import { messageOf } from './server.js'

/** Makes the next `import('undici')` fail, as it does when the process has no file descriptor left. */
const failOnce = `
let failed = false
export async function resolve(specifier, context, next) {
  if (specifier !== 'undici' || failed) return next(specifier, context)
  failed = true
  throw new Error('too many open files')
}`
register(`data:text/javascript,${encodeURIComponent(failOnce)}`)

t.test('a failed import of undici fails that request only', async t => {
  const connection = connectToIssuer()
  const url = 'http://127.0.0.1:1/x'
  t.match(await messageOf(connection.exchange().request(url)), /too many open files/)
  t.match(await messageOf(connection.exchange().request(url)), /ECONNREFUSED/)
  await connection.close()
})

t.test('close() resolves while undici is being imported, and the request fails', async t => {
  const connection = connectToIssuer()
  const request = messageOf(connection.exchange().request('http://127.0.0.1:1/x'))
  await connection.close()
  t.match(await request, /the connection is closed/)
})
