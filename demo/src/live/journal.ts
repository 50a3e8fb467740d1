import type { Exchange, Visit } from './exchange.js'

/** The last exchanges, and news of each change. */
export interface Journal {
  /** Differs from start to start, so that a page that outlives the shop can tell. */
  readonly boot: string
  /** Oldest first. @param order only those of this order */
  list(order?: string): readonly Exchange[]
  /** What one visit caused. Oldest first. */
  ofVisit(visit: Visit): readonly Exchange[]
  /** The request that brought a token. @param tokenId as in `DecodedToken` */
  sourceOf(tokenId: string): Exchange | undefined
  /** The requests that brought the tokens of these exchanges and are not among them. Oldest first. */
  sourcesOf(exchanges: readonly Exchange[]): readonly Exchange[]
  /** Tells each change until the function that comes back is called. */
  follow(listener: (exchange: Exchange) => void): () => void
  /** Notes a new exchange, or that one has changed. */
  note(exchange: Exchange): void
}

const mostKept = 300
/** Token requests are kept longer than the rest: one token serves many calls. */
const mostSources = 100

export function createJournal(): Journal {
  const kept = new Map<number, Exchange>()
  const sources = new Map<string, Exchange>()
  const listeners = new Set<(exchange: Exchange) => void>()
  const sourceOf = (tokenId: string): Exchange | undefined => sources.get(tokenId)
  return {
    boot: Date.now().toString(36),
    list: order => [...kept.values()].filter(exchange => belongsTo(exchange, order)),
    ofVisit: visit =>
      [...kept.values()].filter(
        exchange =>
          exchange.visit === visit || (visit.order !== undefined && belongsTo(exchange, visit.order)),
      ),
    sourceOf,
    sourcesOf(exchanges) {
      const found = exchanges.flatMap(({ token }) => (token && sourceOf(token.id)) ?? [])
      return [...new Set(found)]
        .filter(source => !exchanges.includes(source))
        .toSorted((a, b) => a.startedAt - b.startedAt)
    },
    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    note(exchange) {
      keep(kept, exchange.id, exchange, mostKept)
      const issued = exchange.tokenAnswer?.token
      if (issued !== undefined) keep(sources, issued.id, exchange, mostSources)
      for (const listener of listeners) listener(exchange)
    },
  }
}

function keep<Key>(map: Map<Key, Exchange>, key: Key, exchange: Exchange, most: number): void {
  map.set(key, exchange)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}

/** By the visit that caused it, or, where there was no visit, by the order's id in its path. */
export function belongsTo({ visit, path }: Exchange, order: string | undefined): boolean {
  return order === undefined || visit.order === order || path.includes(order)
}
