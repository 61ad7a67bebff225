-- Revoke jobs of a queue, by arq's own abort: the worker that has a job or picks it up ends it.
--
-- KEYS  queue (arq's sorted set), arq's sorted set of jobs to abort
-- ARGV  "1" to end jobs in progress too, job ids
-- Returns for each id: "unknown", "running", "terminated" or "revoked".
local time = redis.call('TIME')
local now = time[1] * 1000
-- one minute back: a worker drops what lies in its own future, and its clock may be behind ours
local score = now - 60000
local fates = {}
for index = 2, #ARGV do
  local id = ARGV[index]
  local due = redis.call('ZSCORE', KEYS[1], id)
  local fate = 'unknown'
  if due then
    local runs = redis.call('EXISTS', 'arq:in-progress:' .. id) == 1
    fate = runs and (ARGV[1] == '1' and 'terminated' or 'running') or 'revoked'
    if fate ~= 'running' then
      redis.call('ZADD', KEYS[2], score, id)
    end
    if not runs and tonumber(due) > now then
      -- a deferred job would keep its place until it is due: let it be picked up, and so ended, now
      redis.call('ZADD', KEYS[1], now, id)
    end
  end
  fates[index - 1] = fate
end
return fates
