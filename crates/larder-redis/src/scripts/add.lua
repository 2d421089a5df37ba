-- Stores a value if there is no entry, and then ends any lease of the key.
--
-- KEYS: the entry, the lease
-- ARGV: the namespace's mark, the marked value, milliseconds, marks that are known to be dead

local entry = redis.pcall('GETRANGE', KEYS[1], 0, 15)
if type(entry) == 'string' and entry ~= '' then
  if entry == ARGV[1] then
    return {'there'}
  end
  local is_dead = false
  for i = 4, #ARGV do
    is_dead = is_dead or ARGV[i] == entry
  end
  if not is_dead then
    return {'unknown', entry}
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return {'added'}
