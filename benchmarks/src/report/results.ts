import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { ratio, type Comparison, type Goal } from '../harness/comparison.js'
import { median } from '../harness/interval.js'
import type { Numbers } from '../harness/measure-processes.js'
import type { Fact, Question } from '../questions/question.js'
import { folder, type Answer } from './answers.js'
import { barChart, lineChart } from './chart.js'
import { factValue, number, ratioText } from './format.js'
import { factGoal, judge, verdict } from './verdict.js'

const ours = 'fastify-resource-server, fastify-token-client, oauth-test-issuer'.split(', ')

/**
 * Writes RESULTS.md and the charts, in the order of the questions.
 * @param earlier the answers of the run before
 */
export function writeResults(
  questions: readonly Question[],
  answers: readonly Answer[],
  earlier: readonly Answer[],
): void {
  rmSync(`${folder}charts`, { recursive: true, force: true })
  mkdirSync(`${folder}charts`)
  const known = questions.flatMap(question =>
    answers
      .filter(answer => answer.question === question.name)
      .map(answer => withCurrentWording(answer, question)),
  )
  const text = [
    '# Results',
    '',
    '`pnpm bench` generates this file; do not edit it. The page [Performance](../docs/performance.md) explains the results.',
    '',
    'Each contender is measured in several processes, because V8 may optimise each process differently. Each repetition starts one process for each contender, warms up these processes one by one, and then measures them in short alternating slices. Each ratio is the median over all repetitions. The brackets contain the 95 % confidence interval of the median, computed from order statistics. With fewer than six repetitions, the brackets contain the whole range, and every goal stays undecided. Other libraries, for which no goal is set, are measured in two processes only. A goal is met (✅) if the whole interval meets the goal, missed (❌) if the whole interval misses it, and otherwise undecided (❔). The column “by processor time” compares the processor time per request or call, summed over all threads of a process. The column “instructions” contains the instructions executed in user mode, if the machine can count them. Other work on the machine does not change the number of instructions. Absolute rates apply only to the machine named in the line above the table.',
    '',
    ...overview(known, earlier),
    ...known.flatMap(section),
  ]
  writeFileSync(`${folder}RESULTS.md`, `${text.join('\n').trimEnd()}\n`)
}

/** Uses the question's current title and method, so that rewording them does not require a new measurement. */
function withCurrentWording(answer: Answer, { title, method }: Question): Answer {
  return { ...answer, title, method }
}

/** Every goal of every question with its measurement and that of the earlier run, before any detail. */
function overview(answers: readonly Answer[], earlier: readonly Answer[]): string[] {
  const comparisonsBefore = earlier.flatMap(({ comparisons = [] }) => comparisons)
  const factsBefore = earlier.flatMap(({ facts = [] }) => facts)
  const rows = answers.flatMap(({ comparisons = [], facts = [] }) => [
    ...comparisons.flatMap(comparison => {
      const before = comparisonsBefore.find(({ title }) => title === comparison.title)
      return comparison.goals.map(goal => goalRow(comparison, goal, before))
    }),
    ...facts
      .filter(fact => factGoal(fact) !== '')
      .map(fact => {
        const before = factsBefore.find(({ what }) => what === fact.what)
        return `| ${fact.what} | ${factValue(fact)} | ${before === undefined ? '–' : factValue(before)} | | ${factGoal(fact)} |`
      }),
  ])
  const dates = [...new Set(earlier.map(({ measured }) => measured.slice(0, 16).replace('T', ' ')))].sort()
  return [
    '## Goals',
    '',
    `The column “by rate, earlier run” shows the run of ${dates[0] ?? 'no day yet'} (UTC).`,
    '',
    '| | by rate | by rate, earlier run | by processor time | goal |',
    '|---|--:|--:|--:|--:|',
    ...rows,
    '',
  ]
}

function goalRow(comparison: Comparison, goal: Goal, before: Comparison | undefined): string {
  const { title, rates, processor } = comparison
  const { contender, of } = goal
  const columns = [
    ratio(rates, contender, of),
    ratio(before?.rates, contender, of),
    // Less is better, so the ratio is inverted to compare with that of the rates.
    ratio(processor, of, contender),
  ]
  return `| ${title}: ${contender}, of ${of} | ${columns.map(ratioText).join(' | ')} | ${verdict(comparison, goal)} ≥ ${goal.atLeast.toFixed(2)} |`
}

function section(answer: Answer): string[] {
  const { comparisons = [], growths = [], facts = [] } = answer
  return [
    `## ${answer.title}`,
    '',
    answer.method,
    '',
    machineLine(answer),
    '',
    ...warning(answer),
    ...comparisons.flatMap((comparison, index) => comparisonSection(answer, comparison, index)),
    ...factsSection(facts),
    ...growths.flatMap((growth, index) => {
      const file = `charts/${answer.question}-growth-${index + 1}.svg`
      writeFileSync(folder + file, lineChart(growth))
      return [`![${growth.title}](${file})`, '']
    }),
  ]
}

function warning({ machine: { busy, cores } }: Answer): string[] {
  if (busy < cores / 2) return []
  return [
    `> Other programs were running: before the measurement, the load average was ${number(busy)} on ${cores} processors. Other programs affect processor times less than rates, and hardly affect the number of instructions.`,
    '',
  ]
}

function machineLine({ measured, processes, machine }: Answer): string {
  const { processor, cores, node, load, packages } = machine
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return `_${measured.slice(0, 10)} · ${processes} processes each · ${processor}, ${cores} cores · Node ${node} · ${load} · ${versions.join(', ')}_`
}

function comparisonSection(answer: Answer, comparison: Comparison, index: number): string[] {
  const { title, unit, baselines, rates, processor, instructions } = comparison
  const [first = ''] = baselines
  const file = `charts/${answer.question}-${index + 1}.svg`
  const bars = Object.keys(rates).flatMap(name => {
    const value = ratio(rates, name, first)
    return value === undefined ? [] : [{ name, value, ours: ours.some(own => name.startsWith(own)) }]
  })
  writeFileSync(folder + file, barChart(`${title}, relative to ${first}`, bars))
  const rows = Object.entries(rates).map(([name, values]) => {
    const rate = values === null ? 'not supported' : Math.round(median(values)).toLocaleString('en')
    const ratios = baselines.map(baseline => ratioText(ratio(rates, name, baseline)))
    const costs = [cost(processor, name, ' µs'), cost(instructions, name, '')]
    return `| ${[name, rate, ...ratios, ...costs].join(' | ')} |`
  })
  return [
    `### ${title}`,
    '',
    `![${title}](${file})`,
    '',
    `| | ${unit} | ${baselines.map(baseline => `of ${baseline}`).join(' | ')} | processor | instructions |`,
    `|---|--:|${baselines.map(() => '--:|').join('')}--:|--:|`,
    ...rows,
    '',
    ...comparison.goals.map(goal => `${judge(comparison, goal)}\n`),
  ]
}

function cost(numbers: Numbers | undefined, name: string, unit: string): string {
  const values = numbers?.[name]
  return values ? `${number(median(values))}${unit}` : '–'
}

function factsSection(facts: readonly Fact[]): string[] {
  if (facts.length === 0) return []
  return [
    '| | measured | goal |',
    '|---|--:|--:|',
    ...facts.map(fact => `| ${fact.what} | ${factValue(fact)} | ${factGoal(fact)} |`),
    '',
  ]
}
