import { parseArgs } from 'node:util'
import { describeMachine } from './harness/machine.js'
import { createLoadGenerator } from './harness/load.js'
import { addedCost } from './questions/added-cost.js'
import { growth } from './questions/growth.js'
import { manyIssuers } from './questions/many-issuers.js'
import { memory } from './questions/memory.js'
import { newToken } from './questions/new-token.js'
import { receipts } from './questions/receipts.js'
import { refusedRequests } from './questions/refused-requests.js'
import { renewal } from './questions/renewal.js'
import { repeatedToken } from './questions/repeated-token.js'
import { scale } from './questions/scale.js'
import { startUp } from './questions/start-up.js'
import { tokenClient } from './questions/token-client.js'
import { tokenRate } from './questions/token-rate.js'
import type { Question } from './questions/question.js'
import { keepAnswer, readAnswers, readEarlierAnswers } from './report/answers.js'
import { factValue } from './report/format.js'
import { judge } from './report/verdict.js'
import { writeResults } from './report/results.js'

const questions: readonly Question[] = [
  repeatedToken,
  newToken,
  addedCost,
  refusedRequests,
  tokenClient,
  renewal,
  startUp,
  tokenRate,
  manyIssuers,
  memory,
  receipts,
  growth,
  scale,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    processes: { type: 'string', default: '6' },
    slices: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const names = questions.map(({ name }) => name)
const unknown = positionals.filter(name => !names.includes(name))
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no question ${unknown.join(', ')}.\n`)
  console.log(
    `pnpm bench [--processes 6] [--slices 3] [--seconds 1] [question …]\n\nQuestions: ${names.join(', ')}`,
  )
  process.exit(unknown.length > 0 ? 1 : 0)
}

const machine = describeMachine()
console.log(
  `${machine.processor}, ${machine.cores} cores · Node ${machine.node} · ${machine.load}\n${Object.entries(
    machine.packages,
  )
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}`,
)

const load = await createLoadGenerator()
const effort = {
  processes: Number(values.processes),
  slices: Number(values.slices),
  secondsPerSlice: Number(values.seconds),
  load,
  tell: (what: string) => console.log(`  ${what}`),
}
const asked = questions.filter(({ name, onlyByName }) =>
  positionals.length === 0 ? onlyByName !== true : positionals.includes(name),
)
for (const question of asked) {
  console.log(`\n# ${question.title}`)
  const findings = await question.answer(effort)
  const { name, title, method } = question
  const measured = new Date().toISOString()
  keepAnswer({ question: name, title, method, measured, processes: effort.processes, machine, ...findings })
  for (const comparison of findings.comparisons ?? [])
    for (const goal of comparison.goals) console.log(`${comparison.title}: ${judge(comparison, goal)}`)
  for (const found of findings.facts ?? []) console.log(`${found.what}: ${factValue(found)}`)
  writeResults(questions, readAnswers(), readEarlierAnswers())
}
await load.close()
console.log('\nWritten to benchmarks/RESULTS.md')
