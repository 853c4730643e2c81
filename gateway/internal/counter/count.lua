-- Counts one call against all rules of one key, in one step.
--
-- KEYS[1] is a hash with three fields a rule (start, count, previous count) and
-- one a gateway (the number of its last addition). There is one key only, so
-- the script may run on any node of a cluster.
-- ARGV: now in microseconds or 0 for this server's clock; operation (take, add,
-- peek); gateway; number of the addition or 0; number of rules; then twelve for
-- each rule, named below.
-- Answers: allowed, now, and three a rule. Numbers beyond integers are texts,
-- since an answer would cut them to integers.
local key, op, gateway = KEYS[1], ARGV[2], ARGV[3]
local now, seq, n = tonumber(ARGV[1]), tonumber(ARGV[4]), tonumber(ARGV[5])
local FIXED, SLIDING, BUCKET, CALENDAR, ROLLING = 1, 2, 3, 4, 5
local MAX = 9007199254740992
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
end

local names = {}
for i = 1, n do
  names[#names + 1] = 's' .. i
  names[#names + 1] = 'c' .. i
  names[#names + 1] = 'p' .. i
end
names[#names + 1] = 'q' .. gateway
local have = redis.call('HMGET', key, unpack(names))
local repeated = seq > 0 and seq <= tonumber(have[#have] or '0')

local rules = {}
for i = 1, n do
  local a = 5 + (i - 1) * 12
  local function arg(j) return tonumber(ARGV[a + j]) end
  local r = {
    kind = arg(1), limit = arg(2), window = arg(3), burst = arg(4),
    amount = arg(5), before = arg(6), at = arg(7), -- what to count, in the window before, and when
    from = arg(8), till = arg(9),                  -- the calendar period, by the caller's zone
    s = tonumber(have[i * 3 - 2] or '0'), c = tonumber(have[i * 3 - 1] or '0'), p = tonumber(have[i * 3] or '0'),
  }
  local ss, sc, sp = arg(10), arg(11), arg(12) -- what the caller has seen
  rules[i] = r

  local function level(l, s)
    if now > s then l = l - (now - s) * r.limit / r.window end
    return math.max(0, l)
  end

  -- What the caller has seen holds, even if this server has forgotten it.
  if r.kind == BUCKET then
    if r.s - now > r.window then r.s = now end
    if ss - now > r.window then ss = now end
    r.c = math.max(level(r.c, r.s), level(sc, ss))
    r.s = math.max(now, r.s)
  elseif ss > 0 then
    if r.kind == ROLLING then
      if r.s == 0 or now - r.s >= r.window then
        if now - ss < r.window and ss - now <= r.window then r.s, r.c = ss, sc end
      else
        r.c = math.max(r.c, (now - ss < r.window) and sc or 0)
      end
    elseif ss == r.s then
      r.c, r.p = math.max(r.c, sc), math.max(r.p, sp)
    elseif ss > r.s then
      if r.kind == SLIDING and ss == r.s + r.window then sp = math.max(sp, r.c) end
      r.s, r.c, r.p = ss, sc, sp
    elseif r.kind == SLIDING and ss == r.s - r.window then
      r.p = math.max(r.p, sc)
    end
  end

  -- Bring the window to now. One that begins later stays.
  if r.kind == FIXED or r.kind == SLIDING then
    if now - r.s >= r.window or r.s - now > r.window then
      local start = now - math.fmod(now, r.window)
      if r.kind == SLIDING and start == r.s + r.window then r.p = r.c else r.p = 0 end
      r.s, r.c = start, 0
    end
  elseif r.kind == CALENDAR then
    if r.from ~= r.s and (r.from > r.s or r.s >= r.till + r.till - r.from) then
      r.s, r.c, r.p = r.from, 0, 0
    end
  elseif r.kind == ROLLING then
    if r.s ~= 0 and (now - r.s >= r.window or r.s - now > r.window) then
      r.s, r.c, r.p = 0, 0, 0
    end
  end

  if r.kind == BUCKET then
    r.used, r.size = r.c, r.burst
  elseif r.kind == SLIDING and r.p > 0 then
    local left = math.min(r.window, math.max(0, r.s + r.window - now))
    r.used, r.size = r.p * left / r.window + r.c, r.limit
  else
    r.used, r.size = r.c, r.limit
  end
end

local allowed = 1
if op == 'take' then
  for i = 1, n do
    if rules[i].amount > rules[i].size - rules[i].used then allowed = 0 end
  end
end

if (op == 'take' and allowed == 1) or (op == 'add' and not repeated) then
  local write, ttl = {}, 0
  for i = 1, n do
    local r = rules[i]
    if r.kind == BUCKET then
      r.c = r.c + r.amount
    elseif op == 'take' then
      if r.kind == ROLLING and r.s == 0 then r.s = now end
      r.c = r.c + r.amount
    elseif r.kind == ROLLING then
      if r.s == 0 and now - r.at < r.window and r.amount > 0 then r.s = r.at end
      if r.s ~= 0 and r.s - r.at < r.window then r.c = r.c + r.amount end
    elseif r.at == r.s then
      r.c, r.p = r.c + r.amount, r.p + r.before
    elseif r.at > r.s then -- the caller's clock is ahead
      if r.kind == SLIDING and r.at == r.s + r.window then r.p = r.c + r.before else r.p = r.before end
      r.s, r.c = r.at, r.amount
    elseif r.kind == SLIDING and r.at == r.s - r.window then
      r.p = r.p + r.amount
    end
    r.c, r.p = math.min(r.c, MAX), math.min(r.p, MAX)

    local life
    if r.kind == BUCKET then life = r.c * r.window / r.limit
    elseif r.kind == CALENDAR then life = math.max(r.till, r.s) - now
    elseif r.kind == SLIDING then life = r.s + 2 * r.window - now
    else life = r.s + r.window - now end
    ttl = math.max(ttl, life)
    write[#write + 1] = 's' .. i
    write[#write + 1] = string.format('%.17g', r.s)
    write[#write + 1] = 'c' .. i
    write[#write + 1] = string.format('%.17g', r.c)
    write[#write + 1] = 'p' .. i
    write[#write + 1] = string.format('%.17g', r.p)
  end
  if seq > 0 then
    write[#write + 1] = 'q' .. gateway
    write[#write + 1] = string.format('%.17g', seq)
  end
  redis.call('HSET', key, unpack(write))
  -- Microseconds to milliseconds, and a second for clocks that differ. A
  -- century is as good as forever, and more than PEXPIRE might take.
  ttl = math.min(ttl, 100 * 365 * 86400 * 1000000)
  redis.call('PEXPIRE', key, string.format('%.0f', math.ceil(ttl / 1000) + 1000))
end

local answer = { allowed, string.format('%.0f', now) }
for i = 1, n do
  local r = rules[i]
  answer[#answer + 1] = string.format('%.17g', r.s)
  answer[#answer + 1] = string.format('%.17g', r.c)
  answer[#answer + 1] = string.format('%.17g', r.p)
end
return answer
