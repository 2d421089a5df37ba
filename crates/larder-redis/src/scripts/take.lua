-- Grants the lease of a key, unless somebody holds it or there is an entry.
--
-- KEYS: the entry, the lease
-- ARGV: the namespace's mark, the token, the lease's time in milliseconds,
--       the id of the entry that is known to be dead ('' for none), marks that are known to be dead
--
-- Entries and leases begin with the mark of the namespace that they were made in. What has
-- neither the mark that is asked for nor a dead one is reported, because this node can not tell
-- whether it is older or newer.

local function is_dead(mark)
  for i = 5, #ARGV do
    if ARGV[i] == mark then
      return true
    end
  end
  return false
end

local function get(key)
  local value = redis.pcall('GET', key)
  return type(value) == 'string' and value or nil
end

local entry = get(KEYS[1])
if entry then
  local mark = string.sub(entry, 1, 16)
  if mark == ARGV[1] then
    local id = string.sub(entry, 17, 20) == 'LRDR' and string.sub(entry, 25, 40) or ''
    if #id < 16 or id ~= ARGV[4] then
      return {'found', entry}
    end
  elseif not is_dead(mark) then
    return {'unknown', mark}
  end
end

local own = ARGV[1] .. ARGV[2]
local lease = get(KEYS[2])
if lease and lease ~= own then
  local mark = string.sub(lease, 1, 16)
  if mark == ARGV[1] then
    return {'held'}
  elseif not is_dead(mark) then
    return {'unknown', mark}
  end
end
redis.call('SET', KEYS[2], own, 'PX', ARGV[3])
return {'won'}
