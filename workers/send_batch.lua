-- Queue the tasks first … first+count-1 of a run in one round trip, each at most once.
--
-- KEYS  queue (arq's sorted set), cursor (last sequence sent, or "closed:" and that)
-- ARGV  first, count, score (ms), body's time to live (ms), test id, cursor's time to live (s), body
-- Returns the cursor afterwards, -1 where it is closed, -2 where it is missing.
--
-- The cursor decides what is new, never "set if absent": arq deletes a body when its job is done,
-- so a resumed sender that looks at bodies would run finished tasks again.
local cursor = redis.call('GET', KEYS[2])
if not cursor then
  return -2
end
if string.sub(cursor, 1, 6) == 'closed' then
  return -1
end
local sent = tonumber(cursor)
local first = tonumber(ARGV[1])
local last = first + tonumber(ARGV[2]) - 1
if first <= sent then
  first = sent + 1
end
if first > last then
  return sent
end
local members = {}
for sequence = first, last do
  local id = string.format('%s-%07d', ARGV[5], sequence)
  redis.call('SET', 'arq:job:' .. id, ARGV[7], 'PX', ARGV[4])
  members[#members + 1] = ARGV[3]
  members[#members + 1] = id
end
redis.call('ZADD', KEYS[1], unpack(members))
redis.call('SET', KEYS[2], last, 'EX', ARGV[6])
return last
