import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Machine } from '../harness/machine.js'
import type { Findings } from '../questions/question.js'

/** A question's answer as it is stored, with the number of each process, so that the report can be written again. */
export interface Answer extends Findings {
  readonly question: string
  readonly title: string
  readonly method: string
  /** ISO 8601 date. */
  readonly measured: string
  /** Started of each contender. */
  readonly processes: number
  readonly machine: Machine
}

/** The folder of the results: `benchmarks/`. */
export const folder: string = fileURLToPath(new URL('../../', import.meta.url))
const answersFolder = `${folder}answers/`
const earlierFolder = `${answersFolder}earlier/`

/** Stores an answer. The one of the run before is kept too: two runs must agree. */
export function keepAnswer(answer: Answer): void {
  mkdirSync(earlierFolder, { recursive: true })
  const file = `${answer.question}.json`
  if (existsSync(answersFolder + file)) renameSync(answersFolder + file, earlierFolder + file)
  writeFileSync(answersFolder + file, `${JSON.stringify(rounded(answer), null, 1)}\n`)
}

export function readAnswers(): Answer[] {
  return answersIn(answersFolder)
}

/** The answers of the run before. */
export function readEarlierAnswers(): Answer[] {
  return existsSync(earlierFolder) ? answersIn(earlierFolder) : []
}

function answersIn(directory: string): Answer[] {
  return readdirSync(directory)
    .filter(file => file.endsWith('.json'))
    .map(file => JSON.parse(readFileSync(directory + file, 'utf8')) as Answer)
}

/** More digits than four are noise. */
function rounded(answer: Answer): unknown {
  return JSON.parse(
    JSON.stringify(answer, (_, value: unknown) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value,
    ),
  )
}
