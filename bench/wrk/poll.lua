-- Polls of 10,000 users, formatted once so that wrk is not what is measured.
local users, requests, n = 10000, {}, 0

init = function(args)
  for i = 1, users do
    requests[i] = wrk.format("GET", "/v1/poll?uid=user-" .. i .. "&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN")
  end
end

request = function()
  n = n % users + 1
  return requests[n]
end
