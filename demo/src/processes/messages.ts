import type { DemoConfig, ServiceName } from '../config.js'

/**
 * A message from the supervisor to a process. It contains secrets, which arguments and environment variables would
 * expose.
 */
export type Order =
  | { readonly order: 'serve'; readonly service: ServiceName; readonly config: DemoConfig[ServiceName] }
  /** Finish running requests, then end. */
  | { readonly order: 'close' }

/** A message from a process to the supervisor. */
export type News =
  /** The process can receive messages now; an earlier message would be lost. */
  | { readonly news: 'here' }
  | { readonly news: 'ready' }
  | { readonly news: 'failed'; readonly reason: string }
