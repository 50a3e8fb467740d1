/** In seconds. The longest file takes a minute on two idle cores. */
export const timeLimitSeconds = Number(process.env.TEST_TIME_LIMIT) || 300
const progressMs = 60_000
/** Time for a process to report its unfinished tests before it is killed, in milliseconds. */
const reportMs = 10_000
// On this signal, tap reports the unfinished tests. Windows does not have it.
const timeoutSignal = process.platform === 'win32' ? 'SIGKILL' : 'SIGALRM'

/**
 * Reports every minute that a file is still running, and ends it at the time limit.
 * @returns a function that stops this, and returns whether the file exceeded the limit
 */
export function limitTime(file, child) {
  const started = performance.now()
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - started) / 1000)
    console.error(`running ${String(seconds).padStart(4)} s              ${file}`)
  }, progressMs)
  let isTooLate = false
  let killing
  const ending = setTimeout(() => {
    isTooLate = true
    console.error(`Ending ${file}: it exceeded the limit of ${timeLimitSeconds} s`)
    child.kill(timeoutSignal)
    killing = setTimeout(() => child.kill('SIGKILL'), reportMs)
  }, timeLimitSeconds * 1000)
  return () => {
    clearInterval(progress)
    clearTimeout(ending)
    clearTimeout(killing)
    return isTooLate
  }
}
