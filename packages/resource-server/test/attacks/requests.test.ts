import fastify from 'fastify'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { startBench } from '../protected-app.js'

t.test('accepts the token only from the Authorization header', async t => {
  const bench = await startBench(t)
  const token = bench.token()
  const cases: [name: string, authorization: string | undefined, status: number][] = [
    ['nothing', undefined, 401],
    ['Basic', `Basic ${Buffer.from('a:b').toString('base64')}`, 401],
    ['DPoP', `DPoP ${token}`, 401],
    ['no scheme', token, 401],
    ['empty', '', 401],
    ['Bearer alone', 'Bearer', 400],
    ['Bearer and a space', 'Bearer ', 400],
    ['two spaces (RFC 9110 §11.4: 1*SP)', `Bearer  ${token}`, 200],
    ['two spaces and no token', 'Bearer  ', 400],
    ['a tab', `Bearer\t${token}`, 400],
    ['two tokens', `Bearer ${token} ${token}`, 400],
    ['comma-joined', `Bearer ${token}, Bearer ${token}`, 400],
    ['comma after the scheme', `Bearer, ${token}`, 400],
    ['quoted', `Bearer "${token}"`, 400],
    ['scheme in lower case', `bearer ${token}`, 200],
    ['scheme in upper case', `BEARER ${token}`, 200],
  ]
  for (const [name, authorization, status] of cases)
    t.equal((await bench.send(authorization)).statusCode, status, name)
  t.equal((await bench.app.inject({ url: `/read?access_token=${token}` })).statusCode, 401, 'in the query')
  const form = {
    url: '/read',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: `access_token=${token}`,
  }
  t.equal((await bench.app.inject(form)).statusCode, 401, 'in a form')
  const posting = fastify()
  t.teardown(() => posting.close())
  posting.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async () => ({}))
  await posting.register(resourceServer, {
    issuer: bench.issuer.url,
    audience: 'https://api.example.com',
    clock: () => bench.clock.now,
  })
  posting.post('/read', async () => 'in')
  t.equal((await posting.inject({ ...form, method: 'POST' })).statusCode, 401, 'in a form that is posted')
  const headers = { ...form.headers, authorization: `Bearer ${token}` }
  t.equal((await posting.inject({ ...form, method: 'POST', headers })).statusCode, 200, 'the form is read')
  t.equal(
    (await bench.app.inject({ url: '/read', cookies: { access_token: token } })).statusCode,
    401,
    'in a cookie',
  )
})

t.test('refuses two Authorization headers over HTTP', async t => {
  const bench = await startBench(t)
  const address = await bench.app.listen({ host: '127.0.0.1', port: 0 })
  const { connect } = await import('node:net')
  const { port } = new URL(address)
  const token = bench.token()
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.write(
        `GET /read HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      ),
    )
    let text = ''
    socket.on('data', chunk => (text += String(chunk)))
    socket.on('end', () => resolve(text))
    socket.on('error', reject)
  })
  t.match(answer, /^HTTP\/1\.1 400 /)
  t.match(answer, 'error="invalid_request"')
})
