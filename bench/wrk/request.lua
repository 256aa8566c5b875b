-- The requests of a scenario. Arguments: the shares of nothing, served and
-- actions in percent, the path of served polls, the first user and the first
-- action to use, a file with the bodies of actions, "again" where those may be
-- used more than once, and further header lines.
--
-- Requests are put together as text: wrk.format would be what is measured.

local seen = 10000 -- users who have seen all there is
local nothing, served, actions = {}, "", {}
local at = {nothing = 0, served = 0, actions = 0}
local tail, again

local function poll(path, uid)
  return "GET " .. path .. "?uid=" .. uid .. "&placement=home&platform=ios&app_version=3.2.1&locale=zh-CN&country=CN" .. tail .. "\r\n"
end

local make = {
  nothing = function()
    local n = at.nothing % seen + 1
    at.nothing = n
    return nothing[n]
  end,
  served = function()
    at.served = at.served + 1
    return string.format(served, at.served)
  end,
  actions = function()
    if again and at.actions >= #actions then at.actions = 0 end
    at.actions = at.actions + 1
    return actions[at.actions] or "GET /no-action-is-left" .. tail .. "\r\n" -- 404, which voids the run
  end,
}

-- spread returns the kinds of 100 requests, each as evenly as its share allows.
local function spread(shares)
  local credit, pattern = {}, {}
  for slot = 1, 100 do
    local best
    for _, kind in ipairs({"nothing", "served", "actions"}) do
      credit[kind] = (credit[kind] or 0) + shares[kind]
      if not best or credit[kind] > credit[best] then best = kind end
    end
    credit[best] = credit[best] - 100
    pattern[slot] = make[best]
  end
  return pattern
end

init = function(args)
  local shares = {nothing = tonumber(args[1]), served = tonumber(args[2]), actions = tonumber(args[3])}
  at.served, at.actions = tonumber(args[5]), tonumber(args[6])
  tail = " HTTP/1.1\r\nHost: popupd\r\n" .. (args[9] or "")
  again = args[8] == "again"
  if shares.nothing > 0 then
    for n = 1, seen do nothing[n] = poll("/v1/poll", string.format("seen-%09d", n)) end
  end
  served = poll(args[4], "user-%09d")
  if shares.actions > 0 then
    for body in io.lines(args[7]) do
      actions[#actions + 1] = "POST /v1/actions" .. tail .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
    end
  end
  for kind, share in pairs(shares) do
    if share == 100 then request = make[kind] end
  end
  if not request then
    local pattern, slot = spread(shares), 0
    request = function()
      slot = slot % 100 + 1
      return pattern[slot]()
    end
  end
  print("prepared in " .. os.clock()) -- seconds of CPU that are no part of the run
end
