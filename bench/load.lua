-- What wrk sends and how it reports. Arguments: METHOD [TARGETS], where TARGETS is a file with one
-- "host path [name=value]" a line, sent in turn; without it every request is the URL's own.
-- `response` stays undefined and `request` too unless there are targets: both would cost the load core.

local targets = {}
local turn = 0

function init(args)
  wrk.method = args[1] or "GET"
  if wrk.method == "POST" then
    wrk.body = string.rep("x", 1024)
    wrk.headers["Content-Type"] = "application/octet-stream"
  end
  if not args[2] then return end
  for line in io.lines(args[2]) do
    local host, path, field = line:match("^(%S+) (%S+) ?(%S*)$")
    local headers = { Host = host }
    local name, value = field:match("^([^=]+)=(.*)$")
    if name then headers[name] = value end
    targets[#targets + 1] = wrk.format(wrk.method, path, headers, wrk.body)
  end
  function request()
    turn = turn % #targets + 1
    return targets[turn]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nBENCH {"requests": %d, "bytes": %d, "microseconds": %d, "p50": %d, "p99": %d, "connect": %d, ' ..
    '"read": %d, "write": %d, "status": %d, "timeout": %d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
