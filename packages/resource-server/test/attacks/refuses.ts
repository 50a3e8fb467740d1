import type { Test } from 'tap'
import type { Bench } from '../protected-app.js'

/** Each is a token that must be refused with 401, never accepted, never a 5xx. */
export async function refuses(t: Test, bench: Bench, tokens: Record<string, string>): Promise<void> {
  const check = (name: string, { statusCode, headers }: Awaited<ReturnType<Bench['call']>>): void => {
    t.ok(statusCode === 401 || statusCode === 400, `${name}: ${statusCode}`)
    t.match(headers['www-authenticate'], /^Bearer error="invalid_(token|request)"/, name)
  }
  for (const [name, token] of Object.entries(tokens)) check(name, await bench.call(token))
  // All at once, so that signatures are verified in the thread pool too.
  const answers = Object.entries(tokens).map(async ([name, token]) =>
    check(`${name}, among others`, await bench.call(token)),
  )
  await Promise.all(answers)
  t.equal((await bench.call(bench.token())).statusCode, 200, 'a good token still passes')
}
