-- Load for `make bench`: requests with the tokens of a file in turn, such as reach a sidecar.
-- Arguments: path, file of tokens (an empty line is a request without one), how many of them to
-- use, which of them comes first.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  local path, file, count = arguments[1], arguments[2], tonumber(arguments[3])
  -- Not local: `done` reads it.
  place = tonumber(arguments[4])
  requests = {}
  for token in io.lines(file) do
    if #requests == count then break end
    local headers = {
      ["Host"] = "shop.example.com",
      ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
      ["Accept"] = "application/json",
      ["Accept-Encoding"] = "gzip, deflate, br",
      ["X-Forwarded-For"] = "198.51.100.7",
      ["X-Forwarded-Proto"] = "https",
      ["X-Request-Id"] = "5b1d0f4e-6a0c-4f0e-9d5e-2c8a4e1f7b93",
      ["Traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    if token ~= "" then headers["Authorization"] = "Bearer " .. token end
    -- Made once: what this script does for each request is CPU time of the generator.
    table.insert(requests, wrk.format("GET", path, headers))
  end
end

function request()
  local text = requests[place + 1]
  place = (place + 1) % #requests
  return text
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"refused":%d,"errors":%d,"next":%d,"p50":%d,"p99":%d,"microseconds":%d}\n',
    summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    threads[1]:get("place"), latency:percentile(50), latency:percentile(99), summary.duration))
end
