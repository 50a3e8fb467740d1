// undici with a fixed header: what a call costs that needs no token.
import { Agent, request } from 'undici'
import { serveClient } from './call-loop.js'

await serveClient(async ({ api }) => {
  const dispatcher = new Agent()
  const headers = { authorization: `Bearer ${'x'.repeat(500)}` }
  return async () => {
    const { body } = await request(`${api}/orders`, { dispatcher, headers })
    return body.text()
  }
})
