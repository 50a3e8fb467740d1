-- Sends the requests of a file in turn, one `Authorization` value a line, an empty line for none.
-- Arguments: file, path, index of the first request.
local requests = {}
local current = 0

function init(args)
  for value in io.lines(args[1]) do
    local headers = {}
    if value ~= '' then headers['Authorization'] = value end
    requests[#requests + 1] = wrk.format('GET', args[2], headers)
  end
  current = tonumber(args[3]) % #requests
end

function request()
  current = current % #requests + 1
  return requests[current]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"seconds":%f,"p99Ms":%f,"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
