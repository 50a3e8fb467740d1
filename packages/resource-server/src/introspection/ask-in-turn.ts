/**
 * Calls functions one after another within a shared time limit. If a function does not settle within its share of the
 * time, the next function is called while the earlier one keeps running.
 * @param decides returns true if a result makes further calls unnecessary
 * @param timeoutMs the time limit for all calls together, in milliseconds
 * @returns the results in order of arrival, up to and including the first one for which `decides` returns true
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
      receive(ask, asked).catch(reject)
    }

    async function receive(ask: () => Promise<T>, number: number): Promise<void> {
      const answer = await ask()
      answers.push(answer)
      if (decides(answer) || answers.length === questions.length) end()
      else if (number === asked && asked < questions.length) askNext()
    }

    askNext()
  }).finally(() => clearTimeout(timer))
}
