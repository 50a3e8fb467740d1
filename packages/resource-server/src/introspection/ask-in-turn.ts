/**
 * Asks one question after the other, all within one time limit. A question without an answer after its share of the time
 * stays open while the next one is asked.
 * @param decides whether no further question is necessary after this answer
 * @param timeoutMs milliseconds
 * @returns the answers that arrived, in their order; the last one decides, if any does
 */
export function askInTurn<T>(
  questions: readonly (() => Promise<T>)[],
  decides: (answer: T) => boolean,
  timeoutMs: number,
): Promise<readonly T[]> {
  const endsAt = performance.now() + timeoutMs
  const answers: T[] = []
  let asked = 0
  let timer: NodeJS.Timeout | undefined
  return new Promise<readonly T[]>((resolve, reject) => {
    function end(): void {
      clearTimeout(timer)
      asked = questions.length
      resolve([...answers])
    }

    function askNext(): void {
      clearTimeout(timer)
      const ask = questions[asked]
      if (ask === undefined) return end()
      timer = setTimeout(askNext, (endsAt - performance.now()) / (questions.length - asked))
      asked += 1
      const number = asked
      ask().then(answer => {
        answers.push(answer)
        if (decides(answer) || answers.length === questions.length) end()
        else if (number === asked && asked < questions.length) askNext()
      }, reject)
    }

    askNext()
  }).finally(() => clearTimeout(timer))
}
