import type { FastifyError, FastifyInstance } from 'fastify'

interface Message {
  readonly title: string
  readonly text: string
}

const messages: Readonly<Record<number, Message>> = {
  400: {
    title: 'That did not fit',
    text: 'Something in the form is missing or not as it should be. Go back and look at it once more.',
  },
  403: { title: 'Not from here', text: 'This form was sent from another site, so nothing was done.' },
  404: { title: 'No such page', text: 'Nothing is kept under this address.' },
  429: { title: 'Not so fast', text: 'Those were more requests than a reader makes. Try again in a minute.' },
  503: {
    title: 'Closed for a moment',
    text: 'A service behind the shop cannot be reached. What you have paid stays paid; try again shortly.',
  },
}
const unfit: Message = {
  title: 'That did not fit',
  text: 'The shop cannot read what was sent. Go back and try it from its page once more.',
}
const unexpected: Message = {
  title: 'Something went wrong',
  text: 'It is our fault, and it has been logged. What you have paid stays paid.',
}

/** People get a page, whatever happens; what went wrong inside stays in the log. */
export function errorPages(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = statusOf(error)
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    if (status === 503) reply.header('retry-after', 2)
    return reply.code(status).view('message', messages[status] ?? (status < 500 ? unfit : unexpected))
  })
  app.setNotFoundHandler((_request, reply) => reply.code(404).view('message', messages[404] ?? unexpected))
}

/** An address that is none is no page; what failed behind the shop is, to its visitors, an outage. */
function statusOf({ statusCode = 500, code, validationContext }: FastifyError): number {
  if (validationContext === 'params') return 404
  const isUpstream = statusCode >= 502 || code?.startsWith('TOKEN_CLIENT') || code?.startsWith('UND_ERR')
  if (isUpstream || code === 'ECONNREFUSED' || code === 'ECONNRESET') return 503
  return statusCode
}
