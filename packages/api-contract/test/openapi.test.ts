import swagger from '@fastify/swagger'
import fastify from 'fastify'
import { answer } from 'fastify-api-contract'
import resourceServer from 'fastify-resource-server'
import t from 'tap'
import { receiptsApi } from './receipts-api.js'

t.test('@fastify/swagger documents the contract, with scopes and names', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      components: { securitySchemes: { oauth2: { type: 'http', scheme: 'bearer' } } },
    },
  })
  await app.register(resourceServer, {
    issuer: 'https://login.example.com',
    audience: receiptsApi.audience,
    securityScheme: 'oauth2',
  })
  app.route(receiptsApi.route('putReceipt', () => answer(409, { title: 'No' })))
  app.route(receiptsApi.route('listReceipts', () => answer(200, { page: 0, tags: [] })))
  app.route(receiptsApi.route('deleteReceipt', () => answer(204)))
  app.route(receiptsApi.route('status', () => answer(200, 'up')))
  await app.ready()
  const { paths } = app.swagger() as { paths: object }
  t.match(paths, {
    '/receipts/{paymentId}': {
      put: {
        operationId: 'putReceipt',
        summary: 'Makes a receipt',
        security: [{ oauth2: ['receipts:write'] }],
        parameters: [{ name: 'paymentId', in: 'path', required: true, schema: { type: 'string' } }],
        requestBody: {
          content: { 'application/json': { schema: { required: ['title', 'cents'] } } },
        },
        responses: {
          201: {
            content: { 'application/json': { schema: { properties: { number: { type: 'string' } } } } },
          },
          409: {},
          401: {},
          403: {},
        },
      },
      delete: {
        operationId: 'deleteReceipt',
        security: [{ oauth2: ['receipts:read', 'receipts:write'] }],
        responses: { 204: { description: 'No content', content: undefined } },
      },
    },
    '/receipts': {
      get: {
        security: [{ oauth2: [] }],
        parameters: [
          { name: 'page', in: 'query', required: false, schema: { type: 'integer' } },
          { name: 'tag', in: 'query', required: false },
        ],
      },
    },
    '/status': { get: { security: [] } },
  })
})
