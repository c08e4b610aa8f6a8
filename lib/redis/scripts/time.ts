/** For scripts: the time of Redis in milliseconds, as `now`. */
export const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** For scripts that give times back: a number of them without an exponent. */
export const TEXT = `
local function text(number)
  return string.format('%.0f', number)
end
`;
