import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import { serve } from '../harness/serve.js'
import { answer, type Trust } from './trust.js'

interface Config extends Trust {
  readonly algorithm: string
}

await serve(async ({ issuer, jwksUri, audience, scope, algorithm }: Config) => {
  const app = express()
  app.use(auth({ issuer, jwksUri, audience, tokenSigningAlg: algorithm, strict: true }))
  app.get('/orders', requiredScopes(scope), (_request, response) => {
    response.json(answer)
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
