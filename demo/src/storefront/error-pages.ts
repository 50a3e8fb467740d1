import type { FastifyError, FastifyInstance } from 'fastify'

interface Message {
  readonly title: string
  readonly text: string
}

const notFound: Message = { title: 'Page not found', text: 'There is no page at this address.' }

const messages: Readonly<Record<number, Message>> = {
  400: {
    title: 'Please check the form',
    text: 'A field is missing or invalid. Go back, correct it and send the form again.',
  },
  403: {
    title: 'Sent from another site',
    text: 'This form was sent from another site, so it was ignored.',
  },
  404: notFound,
  429: {
    title: 'Too many requests',
    text: 'There were too many requests from this address. Try again in a minute.',
  },
  503: {
    title: 'Temporarily unavailable',
    text: 'A service behind the shop cannot be reached. Your payments are safe. Try again shortly.',
  },
}
const unfit: Message = {
  title: 'Please check the form',
  text: 'The shop cannot read the form. Go back and send it again.',
}
const unexpected: Message = {
  title: 'Something went wrong',
  text: 'The shop made an error, which was logged. Your payments are safe.',
}

/** Answers every error with a page. Internal details are only logged. */
export function errorPages(app: FastifyInstance): void {
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = statusOf(error)
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    if (status === 503) reply.header('retry-after', 2)
    return reply.code(status).view('message', messages[status] ?? (status < 500 ? unfit : unexpected))
  })
  app.setNotFoundHandler((_request, reply) => reply.code(404).view('message', notFound))
}

/** An invalid path parameter means that the page does not exist; a failed call to another service is an outage. */
function statusOf({ statusCode = 500, code, validationContext }: FastifyError): number {
  if (validationContext === 'params') return 404
  const isUpstream = statusCode >= 502 || code?.startsWith('TOKEN_CLIENT') || code?.startsWith('UND_ERR')
  if (isUpstream || code === 'ECONNREFUSED' || code === 'ECONNRESET') return 503
  return statusCode
}
