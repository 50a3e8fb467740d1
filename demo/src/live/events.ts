import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ResourceServerEvents } from 'fastify-resource-server'
import type { TokenClientEvents } from 'fastify-token-client'

/** Events of undici (docs/api/DiagnosticsChannel.md in its repository). */
interface UndiciRequest {
  readonly origin: string | URL
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
}

/** Events of Node's HTTP server. */
interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
}

/** The event of the demo's issuer for a token request. */
export interface TokenRequestEvent {
  readonly request: IncomingMessage
  /** The body as it was sent, including secrets. */
  readonly form: Readonly<Record<string, string>>
  /** The JSON of the response. */
  readonly answer: unknown
}

/** Events of `diagnostics_channel`, by channel name. */
export interface Events extends TokenClientEvents, ResourceServerEvents {
  'undici:request:create': { request: UndiciRequest }
  'undici:client:sendHeaders': { request: UndiciRequest; socket: Socket }
  'undici:request:bodyChunkSent': { request: UndiciRequest; chunk: Uint8Array | string }
  'undici:request:headers': { request: UndiciRequest; response: { statusCode: number; headers: Buffer[] } }
  'undici:request:bodyChunkReceived': { request: UndiciRequest; chunk: Uint8Array }
  'undici:request:trailers': { request: UndiciRequest }
  'undici:request:error': { request: UndiciRequest; error: Error & { code?: string } }
  'bookstore:token-request': TokenRequestEvent
  'http.server.request.start': Arrival
  'http.server.response.finish': Arrival
}
