import t from 'tap'
import { allowed, policyOf } from '#src/permissions.js'

t.test('scopes of each client and operation', async t => {
  t.equal(
    String(allowed),
    `client           audience                            operation     method  path                  scopes
payment-service  https://receipts.bookstore.example  issueReceipt  PUT     /receipts/:paymentId  receipts:write
payment-service  https://receipts.bookstore.example  readReceipt   GET     /receipts/:paymentId  receipts:read
storefront       https://payments.bookstore.example  find          GET     /payments/:paymentId  payments:read
storefront       https://payments.bookstore.example  findByKey     GET     /payments             payments:read
storefront       https://payments.bookstore.example  pay           POST    /payments             payments:write
visitor          https://payments.bookstore.example  find          GET     /payments/:paymentId  payments:read
visitor          https://payments.bookstore.example  findByKey     GET     /payments             payments:read
visitor          https://receipts.bookstore.example  listReceipts  GET     /receipts             receipts:read
visitor          https://receipts.bookstore.example  readReceipt   GET     /receipts/:paymentId  receipts:read`,
  )
})

t.test('the authorization server grants exactly these scopes', async t => {
  t.strictSame(policyOf('visitor'), {
    'https://payments.bookstore.example': ['payments:read'],
    'https://receipts.bookstore.example': ['receipts:read'],
  })
  t.strictSame(policyOf('storefront'), {
    'https://payments.bookstore.example': ['payments:read', 'payments:write'],
  })
  t.strictSame(policyOf('a stranger'), {})
})
