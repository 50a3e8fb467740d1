// The API that clients call: node:http alone, so that the client is what is measured.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '../harness/serve.js'

await serve(async () => {
  const server = createServer((request, response) => {
    const called = request.headers.authorization?.startsWith('Bearer ') === true
    response.writeHead(called ? 200 : 401, { 'content-type': 'application/json' }).end('{"ok":true}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
