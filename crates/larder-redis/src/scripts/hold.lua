-- Does what only the holder of a lease may do: fill, renew, release.
--
-- KEYS: the entry, the lease
-- ARGV: the namespace's mark and the token, what to do, milliseconds, the marked value
--
-- Answers 1 if it was done, 0 if the lease is not held.

local lease = redis.pcall('GET', KEYS[2])
if lease ~= ARGV[1] then
  return 0
end
if ARGV[2] == 'fill' then
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3])
  redis.call('DEL', KEYS[2])
elseif ARGV[2] == 'renew' then
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
else
  redis.call('DEL', KEYS[2])
end
return 1
