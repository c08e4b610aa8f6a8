/**
 * What the scripts of a message id share. All of it is one hash: the fence `f` of its newest claim, the hash `h` of its
 * content, the token `t` of the claim, a mark `w` where somebody waits for its end, and the answer `a`. Without `h` it
 * was released, and only the fence is remembered.
 *
 * The end of the lease, or of the window, is that of the key. One that is due, or has no end, counts as gone: a key
 * whose end was lost must not hold up its message for ever.
 */
export const DEDUP_PRELUDE = `
local key = KEYS[1]
local left = redis.call('PTTL', key)
local fence, content, answer = unpack(redis.call('HMGET', key, 'f', 'h', 'a'))
local isKept = left > 0 and content
local isRunning = isKept and not answer
-- Whose key is gone may take it again, under the fence that it has, as long as nobody else has claimed.
local function isOf(holder)
  return not fence or (fence == holder and content and not answer)
end

-- A clock of Redis that was set back would keep it for that much longer.
local function limit(ms)
  if left > tonumber(ms) then redis.call('PEXPIRE', key, ms) end
end
`;
