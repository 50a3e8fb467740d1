import type { DemoConfig, ServiceName } from '../config.js'

/** What the supervisor says to a process. Secrets go this way: neither arguments nor environment show them. */
export type Order =
  | { readonly order: 'serve'; readonly service: ServiceName; readonly config: DemoConfig[ServiceName] }
  /** Finish what is running, then end. */
  | { readonly order: 'close' }

/** What a process says to the supervisor. */
export type News =
  /** It listens to orders from now on; one that came earlier would be lost. */
  | { readonly news: 'here' }
  | { readonly news: 'ready' }
  | { readonly news: 'failed'; readonly reason: string }
