import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { DemoConfig } from '../config.js'
import type { Events } from './events.js'
import type { Exchange, Lane, Visit } from './exchange.js'
import { checksOf } from './explain-request.js'
import { pairs, valueOf } from './header-pairs.js'
import type { Journal } from './journal.js'
import { locateLanes, where } from './lanes.js'
import { decodeForShow, maskBody, maskHeader } from './mask.js'
import { readTokenAnswer } from './token-answer.js'
import { watchChannels } from './watch-channels.js'

const formType = 'application/x-www-form-urlencoded'
/** Paths of pages. The diagram leaves out assets and the token flow page itself. */
const isPage = (path: string): boolean => !/^\/(assets\/|live|health|favicon)/.test(path)

/** A request that was accepted, or refused for a reason. */
type Explained = Pick<Events['fastify-resource-server:deny'], 'request'> &
  Partial<Events['fastify-resource-server:deny']>

/**
 * Combines the `diagnostics_channel` events of the plugins, undici and Node: who called whom, with which token, and how
 * it was verified. Callers and called services run in this process, so the port of the connection identifies a request
 * on both sides.
 * @returns a function that stops observing
 */
export function observe(journal: Journal, config: DemoConfig): () => void {
  const { laneOfPort, laneOfOrigin } = locateLanes(config)
  const sent = new WeakMap<object, Exchange>()
  const received = new WeakMap<object, Exchange>()
  const inFlight = new Map<number, Exchange>()
  const connections = new WeakMap<Exchange, number>()
  /** Responses of token endpoints that are not complete yet. */
  const tokenAnswers = new WeakMap<object, Uint8Array[]>()
  let lastId = 0
  let nextCall: Events['fastify-token-client:call'] | undefined

  function begin(exchange: Omit<Exchange, 'id' | 'startedAt'>): Exchange {
    lastId += 1
    const begun = { id: lastId, startedAt: Date.now(), ...exchange }
    journal.note(begun)
    return begun
  }

  async function explain(request: FastifyRequest, event: Explained): Promise<void> {
    const { raw } = request
    const exchange = inFlight.get(raw.socket.remotePort ?? 0) ?? received.get(raw)
    if (exchange === undefined) return
    exchange.checks = await checksOf(request, event)
    journal.note(exchange)
  }

  /** The event declares the request as an object; the plugin publishes Fastify's request. */
  function explainSoon(event: Explained): void {
    if (event.request === undefined) return
    explain(event.request as FastifyRequest, event).catch(() => {}) // the diagram lacks the checks of one request
  }

  const stopWatching = watchChannels<Events>({
    // The plugin publishes this event synchronously before undici creates the request.
    'fastify-token-client:call': call => {
      nextCall = call
    },
    'undici:request:create': ({ request }) => {
      const call = nextCall?.path === request.path.split('?')[0] ? nextCall : undefined
      nextCall = undefined
      const to = laneOfOrigin(new URL(request.origin))
      if (to === undefined) return
      const { lane: from, visit } = where.getStore() ?? { lane: 'browser' as const, visit: {} }
      const headers = pairs(request.headers)
      const token = decodeForShow(valueOf(headers, 'authorization'))
      const { method, path } = request
      const exchange = begin({
        from,
        to,
        method,
        path,
        visit,
        headers: headers.map(([name, value]) => maskHeader(name, value)),
        // A retry after a refusal has a new token, but it is part of the same call.
        ...(token === undefined ? {} : { token: { ...token, cached: call?.cached ?? false } }),
      })
      sent.set(request, exchange)
      if (to === 'authorizationServer' && method === 'POST') tokenAnswers.set(request, [])
    },
    'undici:client:sendHeaders': ({ request, socket }) => {
      const exchange = sent.get(request)
      if (exchange === undefined || socket.localPort === undefined) return
      inFlight.set(socket.localPort, exchange)
      connections.set(exchange, socket.localPort)
    },
    'undici:request:bodyChunkSent': ({ request, chunk }) => {
      const exchange = sent.get(request)
      if (exchange === undefined) return
      exchange.body = maskBody(Buffer.from(chunk).toString(), valueOf(exchange.headers, 'content-type'))
      journal.note(exchange)
    },
    'undici:request:headers': ({ request, response }) => {
      const exchange = sent.get(request)
      if (exchange === undefined) return
      const headers = pairs(response.headers.map(String))
      const order = /^\/payments\/([\w-]+)$/.exec(valueOf(headers, 'location'))?.[1]
      if (order !== undefined) exchange.visit.order = order
      answer(exchange, response.statusCode, valueOf(headers, 'www-authenticate'))
    },
    'undici:request:error': ({ request, error }) => {
      const exchange = sent.get(request)
      if (exchange === undefined || exchange.answer !== undefined) return
      exchange.failure = error.code ?? error.message
      end(exchange)
    },
    // The token is read from the response body, because several token requests of one service may run at the same time.
    'undici:request:bodyChunkReceived': ({ request, chunk }) => void tokenAnswers.get(request)?.push(chunk),
    'undici:request:trailers': ({ request }) => {
      const exchange = sent.get(request)
      const chunks = tokenAnswers.get(request)
      if (exchange === undefined || chunks === undefined) return
      noteTokenAnswer(exchange, Buffer.concat(chunks).toString())
    },
    // A token request made by hand: only the issuer reads its body, so the issuer's event reports it.
    'bookstore:token-request': ({ request, form, answer: body }) => {
      const exchange = received.get(request)
      if (exchange === undefined) return
      exchange.body = maskBody(new URLSearchParams(form).toString(), formType)
      noteTokenAnswer(exchange, JSON.stringify(body))
    },
    'fastify-resource-server:allow': explainSoon,
    'fastify-resource-server:deny': explainSoon,
    'http.server.request.start': ({ request, socket }) => {
      const lane = laneOfPort(socket.localPort)
      if (lane === undefined) return
      const caller = inFlight.get(socket.remotePort ?? 0)
      const visit = caller?.visit ?? {}
      where.enterWith({ lane, visit })
      // A request from a browser, or a manual request to a service.
      if (caller === undefined && (lane !== 'storefront' || isPage(request.url ?? '')))
        received.set(request, arrived(request, lane, visit))
    },
    'http.server.response.finish': ({ request, response }) => {
      const exchange = received.get(request)
      if (exchange === undefined) return
      answer(exchange, response.statusCode, String(response.getHeader('www-authenticate') ?? ''))
    },
  })

  function noteTokenAnswer(exchange: Exchange, body: string): void {
    const tokenAnswer = readTokenAnswer(body)
    if (tokenAnswer !== undefined) exchange.tokenAnswer = tokenAnswer
    journal.note(exchange)
  }

  function arrived(request: IncomingMessage, to: Lane, visit: Visit): Exchange {
    const { method = '', url: path = '', headers } = request
    const token = decodeForShow(headers.authorization ?? '')
    return begin({
      from: 'browser',
      to,
      method,
      path,
      visit,
      headers: pairs(request.rawHeaders).map(([name, value]) => maskHeader(name, value)),
      ...(token === undefined ? {} : { token }),
    })
  }

  function answer(exchange: Exchange, status: number, challenge: string): void {
    exchange.answer = {
      status,
      durationMs: Date.now() - exchange.startedAt,
      ...(challenge === '' ? {} : { challenge }),
    }
    end(exchange)
  }

  function end(exchange: Exchange): void {
    inFlight.delete(connections.get(exchange) ?? 0)
    journal.note(exchange)
  }

  return stopWatching
}
