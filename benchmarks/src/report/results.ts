import { mkdirSync, writeFileSync } from 'node:fs'
import { ratio, spread, type Comparison, type Goal, type Spread } from '../harness/comparison.js'
import type { Machine } from '../harness/machine.js'
import type { Fact, Question } from '../questions/question.js'
import { folder, type Answer } from './answers.js'
import { barChart, lineChart } from './chart.js'

const ours = 'fastify-resource-server, fastify-token-client, oauth-test-issuer'.split(', ')

/** Writes RESULTS.md and the charts from what is kept, in the order of the questions. */
export function writeResults(questions: readonly Question[], answers: readonly Answer[]): void {
  mkdirSync(`${folder}charts`, { recursive: true })
  const known = questions.flatMap(({ name }) => answers.filter(({ question }) => question === name))
  const text = [
    '# Results',
    '',
    'Written by `pnpm bench`; change nothing by hand. What the numbers mean, and where the remaining time goes: [docs/performance.md](../docs/performance.md).',
    '',
    'Ratios are medians over the rounds of the ratio *in* each round, with the lowest and the highest in brackets; “processor” is the processor time of the process of the contender for one request or call, all its threads together. Contenders take turns, each in a process of its own; two slices of each before the first round are dropped. Where other work shares the processors, the processor time says more than the rate. Absolute rates are those of one machine and are here for scale only.',
    '',
    ...overview(known),
    ...known.flatMap(section),
  ]
  writeFileSync(`${folder}RESULTS.md`, `${text.join('\n').trimEnd()}\n`)
}

/** Every goal of every question with what was measured, before any detail. */
function overview(answers: readonly Answer[]): string[] {
  const rows = answers.flatMap(({ comparisons = [], facts = [], machine }) => [
    ...comparisons.flatMap(({ title, rates, processor = {}, goals }) =>
      goals.map(({ contender, of, atLeast }) => {
        const rate = ratio(rates, contender, of)
        // Less time is better, so the ratio is the other way round: it is comparable with that of the rates.
        const cost = ratio(processor, of, contender)
        return `| ${title}: ${contender}, of ${of} | ${show(rate)} | ${show(cost)} | ${verdict(rate, atLeast, machine)} ≥ ${atLeast.toFixed(2)} |`
      }),
    ),
    ...facts
      .filter(({ atMost, atLeast }) => atMost !== undefined || atLeast !== undefined)
      .map(fact => `| ${fact.what} | ${number(fact.value)} ${fact.unit} | | ${goalOf(fact)} |`),
  ])
  return ['## Goals', '', '| | by rate | by processor time | goal |', '|---|--:|--:|--:|', ...rows, '']
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

/** Rates of processes that fight for processors with others' say little. */
function warning({ machine }: Answer): string[] {
  if (!isBusy(machine)) return []
  const { busy, cores } = machine
  return [
    `> Other work was going on: ${number(busy)} threads wanted these ${cores} processors before anything was measured. Rates are disturbed; where ranges are wide they say nothing. Processor times are disturbed less.`,
    '',
  ]
}

function machineLine({ measured, rounds, machine }: Answer): string {
  const { processor, cores, node, load, packages } = machine
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return `_${measured.slice(0, 10)} · ${rounds} rounds · ${processor}, ${cores} cores · Node ${node} · ${load} · ${versions.join(', ')}_`
}

function comparisonSection(answer: Answer, comparison: Comparison, index: number): string[] {
  const { title, unit, baselines, rates, processor = {} } = comparison
  const [first = ''] = baselines
  const file = `charts/${answer.question}-${index + 1}.svg`
  const bars = Object.keys(rates).flatMap(name => {
    const value = ratio(rates, name, first)
    return value === undefined ? [] : [{ name, value, ours: ours.some(own => name.startsWith(own)) }]
  })
  writeFileSync(folder + file, barChart(`${title}, relative to ${first}`, bars))
  const rows = Object.entries(rates).map(
    ([name, values]) =>
      `| ${name} | ${values === null ? 'not supported' : Math.round(spread(values).median).toLocaleString('en')} | ${baselines
        .map(baseline => show(ratio(rates, name, baseline)))
        .join(' | ')} | ${time(processor[name])} |`,
  )
  return [
    `### ${title}`,
    '',
    `![${title}](${file})`,
    '',
    `| | ${unit} | ${baselines.map(baseline => `of ${baseline}`).join(' | ')} | processor |`,
    `|---|--:|${baselines.map(() => '--:|').join('')}--:|`,
    ...rows,
    '',
    ...comparison.goals.map(goal => `${judge(comparison, goal, answer.machine)}\n`),
  ]
}

function time(values: readonly number[] | null | undefined): string {
  return values === null || values === undefined ? '–' : `${number(spread(values).median)} µs`
}

function show(value: Spread | undefined): string {
  return value === undefined
    ? '–'
    : `**${value.median.toFixed(3)}** (${value.low.toFixed(2)}–${value.high.toFixed(2)})`
}

/** Says whether a goal is met. */
export function judge(comparison: Comparison, { contender, of, atLeast }: Goal, machine: Machine): string {
  const value = ratio(comparison.rates, contender, of)
  return `${verdict(value, atLeast, machine)} ${contender}: ${(value?.median ?? Number.NaN).toFixed(3)} of ${of}; the goal is ${atLeast.toFixed(2)}.`
}

/** On a busy machine, a range that lies on both sides of a goal decides nothing. */
function verdict(value: Spread | undefined, atLeast: number, machine: Machine): string {
  const { median = Number.NaN, low = Number.NaN, high = Number.NaN } = value ?? {}
  if (isBusy(machine) && low < atLeast && high >= atLeast) return '❔'
  return median >= atLeast ? '✅' : '❌'
}

function isBusy({ busy, cores }: Machine): boolean {
  return busy >= cores / 2
}

function factsSection(facts: readonly Fact[]): string[] {
  if (facts.length === 0) return []
  return [
    '| | measured | goal |',
    '|---|--:|--:|',
    ...facts.map(fact => `| ${fact.what} | ${number(fact.value)} ${fact.unit} | ${goalOf(fact)} |`),
    '',
  ]
}

function goalOf({ value, atMost, atLeast, unit }: Fact): string {
  if (atMost !== undefined) return `${value <= atMost ? '✅' : '❌'} ≤ ${number(atMost)} ${unit}`
  if (atLeast !== undefined) return `${value >= atLeast ? '✅' : '❌'} ≥ ${number(atLeast)} ${unit}`
  return ''
}

function number(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)))
}
