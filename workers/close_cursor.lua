-- Refuse every later batch of a run and keep how far its sending had come.
--
-- KEYS  cursor
-- ARGV  the closed cursor's time to live (s)
-- Returns the last sequence sent; closing twice gives the same answer.
local cursor = redis.call('GET', KEYS[1]) or '0'
local sent = tonumber(cursor) or tonumber(string.sub(cursor, 8))
redis.call('SET', KEYS[1], 'closed:' .. sent, 'EX', ARGV[1])
return sent
