const TICK_MS = 250;
const TITLES = {
  idle: 'Offline',
  connecting: 'Connecting …',
  open: 'Connected',
  waiting: 'Offline',
  closed: 'Offline',
};
const CAUSES = {
  1012: 'The server is restarting.',
  1013: 'The server is busy.',
  4429: 'The server is busy.',
};

const $ = (id) => document.getElementById(id);
let ticking;

/** Says what the client is doing, and counts down while it waits. */
export function showState(state) {
  clearInterval(ticking);
  $('state').dataset.name = state.name;
  // An attempt of a few milliseconds is no news: what stands in the line is read out.
  if (state.name === 'connecting' && !$('outage').hidden) {
    $('countdown').textContent = 'Trying again …';
    return;
  }
  const cause = causeOf(state);
  $('outage').hidden = cause === '';
  $('cause').textContent = cause;
  $('countdown').textContent = '';
  if ($('state').textContent !== TITLES[state.name]) $('state').textContent = TITLES[state.name];
  if (state.name === 'waiting') countDown(performance.now() + state.delayMs);
}

function causeOf({ name, reason, code }) {
  if (name === 'waiting') return CAUSES[code] ?? 'Connection lost.';
  const isEnd = name === 'closed' || name === 'idle';
  return isEnd && reason !== 'close_called' ? 'The server has closed the connection.' : '';
}

function countDown(until) {
  const tick = () => {
    const seconds = Math.max(1, Math.ceil((until - performance.now()) / 1_000));
    $('countdown').textContent = `Next try in ${seconds} s`;
  };
  tick();
  ticking = setInterval(tick, TICK_MS);
}
