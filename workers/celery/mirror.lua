-- Mirror states that pass: a result that is newer than the attempt they tell of stays.
--
-- KEYS  celery-task-meta-… of each task
-- ARGV  seconds that a state is kept; then for each task its document and when its attempt began
for index, key in ipairs(KEYS) do
  local document, began = ARGV[2 * index], ARGV[2 * index + 1]
  local held = redis.call('GET', key)
  local is_json, meta = pcall(cjson.decode, held or 'null')
  local done = is_json and type(meta) == 'table' and meta.date_done
  -- instants are ISO 8601 in UTC, so they order as text
  if type(done) ~= 'string' or done < began then
    redis.call('SET', key, document, 'EX', ARGV[1])
    -- published too: a client that waits for the result listens on this channel
    redis.call('PUBLISH', key, document)
  end
end
