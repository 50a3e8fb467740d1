const longestMessage = 200

/** The message of a thrown value, short enough for a log line: third-party code also throws text, or nothing. */
export function messageOf(thrown: unknown): string {
  try {
    const message: unknown = (thrown as { message?: unknown } | null | undefined)?.message ?? thrown
    if (typeof message === 'string' && message !== '') return message.slice(0, longestMessage)
  } catch {
    // Reading the message threw as well.
  }
  return 'no reason was given'
}
