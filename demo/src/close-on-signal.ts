import closeWithGrace from 'close-with-grace'
import { sayClosing, sayCrash, sayEndedAtOnce, sayFailure } from './terminal.js'

/**
 * Closes when the process is told to end, and says so; a second Ctrl+C ends at once. An error that no code handled is
 * printed with its stack, since it ends the process too.
 * @param close lets running work end
 * @param longestMs after this the process ends anyway
 * @returns closes now
 */
export function closeOnSignal(close: () => Promise<void>, longestMs: number): () => Promise<void> {
  const { close: closeNow } = closeWithGrace(
    {
      delay: longestMs,
      logger: { error: sayFailure },
      onSecondSignal: sayEndedAtOnce,
      onSecondError: error => sayCrash(error),
      onTimeout: ms => sayFailure(`Closing took longer than ${ms / 1000} s, so the process ends now.`),
    },
    async ({ err, signal }) => {
      if (err !== undefined) sayCrash(err)
      else if (signal !== undefined) sayClosing()
      await close()
    },
  )
  return closeNow as () => Promise<void>
}
