-- The mix: of ten polls nine are by users who have seen all that fits them, and
-- one is by a user who is new and is shown a popup. The polls of known users are
-- put together before the run, so that wrk is not what is measured.
-- Argument: what the ids of new users begin with.
local users = 10000
local known, head, tail = {}, nil, nil
local n, back = 0, 0
sent = 0 -- polls of new users; done reads it

function setup(thread)
  worker = thread -- the only one, by -t1
end

local function poll(uid)
  return wrk.format("GET", "/v1/poll?uid=" .. uid .. "&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN")
end

function init(args)
  for i = 1, users do
    known[i] = poll("user-" .. i)
  end
  head, tail = poll("@"):match("^(.-)@(.*)$")
  head = head .. args[1] .. "-"
end

function request()
  n = n + 1
  if n % 10 == 0 then
    sent = sent + 1
    return head .. sent .. tail
  end
  back = back % users + 1
  return known[back]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("requests=%d us=%d p50=%d p99=%d socket=%d status=%d new=%d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.timeout, e.status, worker:get("sent")))
end
