// What goes wrong, and when: drawn from the seed before anything starts, so that a seed names a run.

const NODE_FAULT_EVERY_MS = 12_000;
const LINK_FAULT_EVERY_MS = 8_000;
const DEAF_EVERY_MS = 5_000;
const FORGET_EVERY_MS = 25_000;

/** Faults of a link, and how likely they are in comparison. */
const LINK_FAULTS = [
  ['latency', 3],
  ['reset', 2],
  ['cut', 3],
  ['black hole', 3],
  ['refuse', 1],
];

const MAX_LATENCY_MS = 300;

/** In turn, and each node begins with another one: so a minute sees all of them. */
const SIGNALS = ['SIGKILL', 'SIGTERM'];

/** All faults of a run, in order. */
export function planOf(random, { ms, links, nodes }) {
  const plan = [];
  const repeat = (everyMs, fault) => {
    for (let at = gap(random, everyMs); at < ms; at += gap(random, everyMs)) plan.push({ at, ...fault() });
  };
  for (let link = 0; link < links; link += 1) repeat(LINK_FAULT_EVERY_MS, () => linkFault(random, link));
  for (let node = 0; node < nodes; node += 1) {
    let restarts = node;
    repeat(NODE_FAULT_EVERY_MS * nodes, () => ({
      type: 'restart',
      node,
      signal: SIGNALS[restarts++ % SIGNALS.length],
      forMs: random.between(100, 1_500),
    }));
    repeat(DEAF_EVERY_MS * nodes, () => ({ type: 'deaf', node, forMs: random.between(300, 2_500) }));
  }
  repeat(FORGET_EVERY_MS, () => ({ type: 'forget' }));
  return plan.toSorted((one, other) => one.at - other.at);
}

function linkFault(random, link) {
  const type = weighted(random, LINK_FAULTS);
  switch (type) {
    case 'latency': {
      const latencyMs = random.between(0, MAX_LATENCY_MS);
      return { type, link, latencyMs, jitterMs: random.between(0, MAX_LATENCY_MS - latencyMs) };
    }
    case 'cut':
      return { type, link, bytes: random.below(4_000), direction: random.pick(['toServer', 'toClient']) };
    case 'black hole':
      return { type, link, forMs: random.between(200, 8_000) };
    case 'refuse':
      return { type, link, forMs: random.between(200, 3_000) };
    default:
      return { type, link };
  }
}

function gap(random, meanMs) {
  return random.between(0.4, 1.6) * meanMs;
}

function weighted(random, choices) {
  let left = random.next() * choices.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, weight] of choices) {
    left -= weight;
    if (left < 0) return choice;
  }
  return choices[0][0];
}
