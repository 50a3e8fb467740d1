// undici with a fixed header and an interceptor that does nothing: what every interceptor costs.
import { Agent, request } from 'undici'
import { serveClient } from './call-loop.js'

await serveClient(async ({ api }) => {
  const dispatcher = new Agent().compose(dispatch => (options, handler) => dispatch(options, handler))
  const headers = { authorization: `Bearer ${'x'.repeat(500)}` }
  return async () => {
    const { body } = await request(`${api}/orders`, { dispatcher, headers })
    return body.text()
  }
})
