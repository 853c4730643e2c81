-- Notes that a gateway is alive and answers this server's time in microseconds
-- and how many gateways are.
-- KEYS[1] is a sorted set; ARGV: gateway, seconds it counts as alive.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2] * 1000000))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return { string.format('%.0f', now), redis.call('ZCARD', KEYS[1]) }
