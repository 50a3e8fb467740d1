import type { Exchange, Visit } from './exchange.js'

/** Keeps the latest exchanges and reports changes. */
export interface Journal {
  /** A random id of this start, so that a page that was loaded before a restart can notice it. */
  readonly boot: string
  /**
   * Returns exchanges, oldest first.
   * @param order only the exchanges of this order
   */
  list(order?: string): readonly Exchange[]
  /** Returns the exchanges of one visit, oldest first. */
  ofVisit(visit: Visit): readonly Exchange[]
  /**
   * Returns the token request that brought a token.
   * @param tokenId as in `DecodedToken`
   */
  sourceOf(tokenId: string): Exchange | undefined
  /**
   * Returns the token requests for the tokens of these exchanges, oldest first, without those that are in the list
   * already.
   */
  sourcesOf(exchanges: readonly Exchange[]): readonly Exchange[]
  /**
   * Calls the listener for each change.
   * @returns a function that stops this
   */
  follow(listener: (exchange: Exchange) => void): () => void
  /** Adds an exchange, or reports that it has changed. */
  note(exchange: Exchange): void
}

const mostKept = 300
/** Token requests are kept longer than other exchanges, because one token is used for many calls. */
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

/** An exchange belongs to an order by its visit or, without a visit, by the order's id in its path. */
export function belongsTo({ visit, path }: Exchange, order: string | undefined): boolean {
  return order === undefined || visit.order === order || path.includes(order)
}
