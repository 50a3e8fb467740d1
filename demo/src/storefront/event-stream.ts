import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

/** Interval of comments, in milliseconds, which keep proxies and browsers from closing a silent connection. */
const heartbeatMs = 15_000
/** Maximum buffer in bytes; a page that does not read its events is disconnected. */
const mostBuffered = 1_000_000

/** Server-sent events (HTML Standard §9.2) for one page. */
export interface EventStream {
  /** @param html the changed part of the page; awaited in order, so events keep their order */
  send(event: string, html: string | Promise<string>): void
  close(): void
}

/**
 * Answers with an open event stream.
 * @param onClose called once, when the page disconnects
 */
export function openEventStream(
  reply: FastifyReply,
  onClose: () => void,
): { readonly events: EventStream; readonly reply: FastifyReply } {
  const stream = new Readable({ read() {} })
  const heartbeat = setInterval(() => stream.push(': still here\n\n'), heartbeatMs).unref()
  let queue = Promise.resolve()
  stream.once('close', () => {
    clearInterval(heartbeat)
    onClose()
  })
  stream.push('retry: 1000\n\n')
  // The connection closes with the stream; with keep-alive, it would delay the shutdown.
  reply.headers({ 'cache-control': 'no-store', connection: 'close' })
  return {
    events: {
      send(event, html) {
        queue = queue
          .then(async () => write(event, await html))
          .catch((error: unknown) => void stream.destroy(error as Error))
      },
      close: () => void stream.push(null),
    },
    reply: reply.type('text/event-stream').send(stream),
  }

  function write(event: string, html: string): void {
    if (stream.destroyed || stream.readableEnded) return
    if (stream.readableLength > mostBuffered) stream.destroy()
    else stream.push(`event: ${event}\ndata: ${html.trim().replaceAll('\n', '\ndata: ')}\n\n`)
  }
}
