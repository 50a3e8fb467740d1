// One slice of load where wrk is not installed, in a process of its own.
import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'

const [url = '', file = '', path = '/', first = '0', seconds = '1', connections = '32'] =
  process.argv.slice(2)
const credentials = readFileSync(file, 'utf8').split('\n').slice(0, -1)
let current = Number(first)

const result = await autocannon({
  url,
  connections: Number(connections),
  duration: Number(seconds),
  requests: [
    {
      method: 'GET',
      path,
      setupRequest(request) {
        const value = credentials[current++ % credentials.length]
        return value === '' || value === undefined
          ? request
          : { ...request, headers: { authorization: value } }
      },
    },
  ],
})
console.log(
  `\n${JSON.stringify({
    requests: result.requests.total,
    seconds: result.duration,
    p99Ms: result.latency.p99,
    refused: result.non2xx,
    failed: result.errors + result.timeouts,
  })}`,
)
