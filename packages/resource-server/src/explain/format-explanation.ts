import type { ExplainedCheck, Explanation } from './explanation.js'

/** Formats an explanation for a terminal, with one line per check and with advice below each failed check. */
export function formatExplanation({ accepted, reason, checks, recognized }: Explanation): string {
  const lines = checks.flatMap(linesOf)
  if (recognized !== undefined)
    lines.push('', `The token seems to come from ${recognized.vendor} (profile: '${recognized.profile}').`)
  lines.push('', accepted ? 'The token is accepted.' : `The token is refused: ${reason}.`)
  return lines.join('\n')
}

function linesOf({ name, result, found, option, detail, fix }: ExplainedCheck): string[] {
  const line = `${result.padEnd(12)} ${name.padEnd(18)} ${found}`.trimEnd()
  if (result !== 'failed') return [line]
  return [line, `  ${detail}`, `  option: ${option}`, `  ${fix}.`]
}
