import type { Exchange } from './exchange.js'

/** The last exchanges, and news of each change. */
export interface Journal {
  /** Oldest first. @param order only those of this order */
  list(order?: string): readonly Exchange[]
  /** Tells each change until the function that comes back is called. */
  follow(listener: (exchange: Exchange) => void): () => void
  /** Notes a new exchange, or that one has changed. */
  note(exchange: Exchange): void
}

const mostKept = 300

export function createJournal(): Journal {
  const kept = new Map<number, Exchange>()
  const listeners = new Set<(exchange: Exchange) => void>()
  return {
    list: order => [...kept.values()].filter(exchange => belongsTo(exchange, order)),
    follow(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    note(exchange) {
      kept.set(exchange.id, exchange)
      const [oldest] = kept.keys()
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
      for (const listener of listeners) listener(exchange)
    },
  }
}

/** By the visit that caused it, or, where nobody visited, by the order's id in its path. */
export function belongsTo({ visit, path }: Exchange, order: string | undefined): boolean {
  return order === undefined || visit.order === order || path.includes(order)
}
