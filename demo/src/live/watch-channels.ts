import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** Channel name → handler of its messages. */
type Handlers<Events> = { readonly [Name in keyof Events]?: (event: Events[Name]) => void }

/**
 * Subscribes to channels of `diagnostics_channel`. An error in a subscriber would be an uncaught exception and end the
 * process, and messages contain text from other parties, so every handler is guarded: the event is lost, the process
 * continues, and the first failure of each channel is a warning.
 * @returns a function that unsubscribes
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
        process.emitWarning(`A subscriber of ${name} failed${placeOf(error)}. The process continues.`)
      hasFailed = true
    }
  }
}

/** Returns where the error occurred, without its message, which may contain a token. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const [, place = ''] = /\n\s+(at .+)/.exec(error.stack ?? '') ?? []
  return ` with ${error.name} ${place}`
}
