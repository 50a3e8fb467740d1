import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ResourceServerEvents } from 'fastify-resource-server'
import type { TokenClientEvents } from 'fastify-token-client'

/** What undici tells of a request (docs/api/DiagnosticsChannel.md there). */
interface UndiciRequest {
  readonly origin: string | URL
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
}

/** What Node's HTTP server tells. */
interface Arrival {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly socket: Socket
}

/** What the demo's own issuer tells of a token request. */
export interface TokenRequestEvent {
  readonly request: IncomingMessage
  /** As it was sent, with its secrets. */
  readonly form: Readonly<Record<string, string>>
  /** The JSON that is answered. */
  readonly answer: unknown
}

/** What is told by `diagnostics_channel`, by the channel's name. */
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
