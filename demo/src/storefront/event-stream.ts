import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

/** A comment this often keeps proxies and browsers from taking the silence for the end, in milliseconds. */
const heartbeatMs = 15_000
/** A page that doesn't read is dropped before it costs memory, in bytes. */
const mostBuffered = 1_000_000

/** Server-sent events (HTML Standard §9.2) to one page. */
export interface EventStream {
  /** @param html the piece of the page that changes; waits for its turn, so that events keep their order */
  send(event: string, html: string | Promise<string>): void
  close(): void
}

/** Answers with an open event stream. @param onClose called once, when the page is gone */
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
  // The connection ends with the stream: kept alive, it would hold up the close of the shop.
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
