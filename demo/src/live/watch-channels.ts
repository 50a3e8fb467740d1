import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** What to do with what is told, by the channel's name. */
type Handlers<Events> = { readonly [Name in keyof Events]?: (event: Events[Name]) => void }

/**
 * Subscribes to channels of `diagnostics_channel`. Node turns an error in a subscriber into an uncaught exception, which
 * ends the process. Messages contain what strangers sent, so every handler is guarded: an event may get lost, the
 * process goes on, and the first failure of each channel becomes a warning.
 * @returns unsubscribes
 */
export function watchChannels<Events>(handlers: Handlers<Events>): () => void {
  const subscriptions = Object.entries(handlers).map(([name, handler]) => {
    const onMessage = guarded(name, handler as (event: unknown) => void)
    subscribe(name, onMessage)
    return { name, onMessage }
  })
  return () => {
    for (const { name, onMessage } of subscriptions) unsubscribe(name, onMessage)
  }
}

function guarded(name: string, handler: (event: unknown) => void): (event: unknown) => void {
  let hasFailed = false
  return event => {
    try {
      handler(event)
    } catch (error) {
      if (!hasFailed)
        process.emitWarning(`A subscriber of ${name} failed${placeOf(error)}; it keeps running.`)
      hasFailed = true
    }
  }
}

/** Where it failed, without the message: that may quote a token. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const [, place = ''] = /\n\s+(at .+)/.exec(error.stack ?? '') ?? []
  return ` with ${error.name} ${place}`
}
