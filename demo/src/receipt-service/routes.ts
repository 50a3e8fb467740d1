import createError from '@fastify/error'
import accepts from '@fastify/accepts'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { answer } from 'fastify-api-contract'
import { receiptsApi } from '../receipts-api.js'
import { formatFor } from './format.js'
import { mistakeIn } from './receipt.js'
import type { Receipts, StoredReceipt } from './receipts.js'
import { mediaTypes, represent, type MediaType } from './representations.js'

const ReceiptNotFoundError = createError('RECEIPT_NOT_FOUND', 'There is no receipt for this payment.', 404)
const NotAcceptableError = createError(
  'RECEIPT_NOT_ACCEPTABLE',
  `A receipt is available as ${mediaTypes.join(', ')}.`,
  406,
)
const InconsistentError = createError<[string]>(
  'RECEIPT_INCONSISTENT',
  'The receipt is not consistent: %s.',
  422,
)

const mostListed = 10

/** Routes to issue a receipt, list the latest, and read one. */
export const receiptRoutes: FastifyPluginAsyncTypebox<{ receipts: Receipts }> = async (app, { receipts }) => {
  await app.register(accepts)

  app.route(
    receiptsApi.route('issueReceipt', async ({ params: { paymentId }, body }) => {
      const mistake = mistakeIn(body) ?? unknownToIntl(body)
      if (mistake !== undefined) throw new InconsistentError(mistake)
      const { receipt, sha256, created } = await receipts.issue(paymentId.toLowerCase(), body)
      return answer(created ? 201 : 200, { paymentId: receipt.paymentId, number: receipt.number, sha256 })
    }),
  )

  app.route(
    receiptsApi.route('listReceipts', async () =>
      answer(200, { receipts: [...(await receipts.latest(mostListed))] }),
    ),
  )

  const { path, scopes, params } = receiptsApi.operations.readReceipt
  app.get(
    path,
    {
      config: { oauth: { scopes } },
      schema: { summary: 'Read a receipt', description: `As ${mediaTypes.join(', ')}, by Accept.`, params },
    },
    async (request, reply) => {
      const mediaType = request.accepts().type([...mediaTypes])
      if (typeof mediaType !== 'string') throw new NotAcceptableError()
      const stored = await receipts.find(request.params.paymentId.toLowerCase())
      if (stored === undefined) throw new ReceiptNotFoundError()
      return sendReceipt(request, reply, { stored, mediaType: mediaType as MediaType })
    },
  )
}

function sendReceipt(
  request: FastifyRequest,
  reply: FastifyReply,
  { stored, mediaType }: { stored: StoredReceipt; mediaType: MediaType },
): FastifyReply {
  const { body, etag, headers } = represent(stored, mediaType)
  reply.headers({
    ...headers,
    etag,
    vary: 'Accept',
    // A receipt never changes but is personal: only the client may cache it, and must revalidate it.
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
  })
  return matches(request.headers['if-none-match'], etag) ? reply.code(304).send() : reply.send(body)
}

/** If-None-Match (RFC 9110 §13.1.2), by weak comparison. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return (
    ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)
  )
}

/** The schema's patterns are too permissive; only `Intl` knows which locales and currencies are well-formed. */
function unknownToIntl({ locale, currency }: { locale: string; currency: string }): string | undefined {
  try {
    formatFor(locale, currency)
    return undefined
  } catch {
    return `locale ${locale} or currency ${currency} is not well-formed`
  }
}
