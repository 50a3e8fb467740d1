import { ratio, type Comparison, type Goal } from '../harness/comparison.js'
import { enough, type Interval } from '../harness/interval.js'
import type { Fact } from '../questions/question.js'
import { number, ratioText } from './format.js'

type Verdict = '✅' | '❌' | '❔'

type Range = Omit<Interval, 'median'>

/**
 * Met if the whole interval is at or above the goal, missed if all of it is below, undecided otherwise or if too few
 * processes were measured.
 */
export function atLeast({ low, high, confidence }: Range, goal: number): Verdict {
  if (!(confidence >= enough)) return '❔'
  if (low >= goal) return '✅'
  return high < goal ? '❌' : '❔'
}

/** Whether a comparison meets a goal, as a sentence. */
export function judge(comparison: Comparison, goal: Goal): string {
  const { contender, of } = goal
  return `${verdict(comparison, goal)} The rate of “${contender}” is ${ratioText(ratio(comparison.rates, contender, of))} times the rate of “${of}”; the goal is at least ${goal.atLeast.toFixed(2)}.`
}

export function verdict({ rates }: Comparison, { contender, of, atLeast: goal }: Goal): Verdict {
  return atLeast(ratio(rates, contender, of) ?? { low: Number.NaN, high: Number.NaN, confidence: 0 }, goal)
}

/** A fact's goal with its verdict; empty if it has none. */
export function factGoal({ value, low = value, high = value, confidence = 1, unit, ...goal }: Fact): string {
  if (goal.atMost !== undefined)
    return `${atLeast({ low: -high, high: -low, confidence }, -goal.atMost)} ≤ ${number(goal.atMost)} ${unit}`
  if (goal.atLeast !== undefined)
    return `${atLeast({ low, high, confidence }, goal.atLeast)} ≥ ${number(goal.atLeast)} ${unit}`
  return ''
}
