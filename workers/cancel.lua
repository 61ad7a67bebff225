-- Take waiting jobs off a queue and ask for those in progress to be aborted.
--
-- KEYS  queue (arq's sorted set), arq's sorted set of jobs to abort
-- ARGV  job ids
-- Returns the ids that were taken off; they will not run.
local now = redis.call('TIME')
-- one minute back: a worker drops what lies in its own future, and its clock may be behind ours
local score = (now[1] - 60) * 1000
local removed = {}
for _, id in ipairs(ARGV) do
  local in_progress = 'arq:in-progress:' .. id
  if redis.call('EXISTS', in_progress) == 1 then
    redis.call('ZADD', KEYS[2], score, id)
  elseif redis.call('ZREM', KEYS[1], id) == 1 then
    -- a worker that is just about to start the job watches this key: touching it makes it let go
    redis.call('SET', in_progress, '1')
    redis.call('DEL', in_progress, 'arq:job:' .. id, 'arq:retry:' .. id)
    removed[#removed + 1] = id
  end
end
return removed
