import { ChannelsClient } from 'nestjs-channels/client';

const KEPT = 60;
const HEIGHT = 20;
const FIGURES = {
  connections: ['Connections', 0, ''],
  sentPerSecond: ['Messages sent', 0, ' / s'],
  memoryMiB: ['Memory', 1, ' MiB'],
  loopLagMs: ['Delay of the event loop', 1, ' ms'],
};
const STATES = { connecting: 'Connecting …', open: 'Live', waiting: 'Connection lost. Trying again …' };

const cards = Object.entries(FIGURES).map(([name, [title, digits, unit]]) => {
  const card = document.getElementById('figure').content.cloneNode(true);
  card.querySelector('h2').textContent = title;
  const [output, line] = [card.querySelector('output'), card.querySelector('polyline')];
  document.getElementById('figures').append(card);
  return { name, digits, unit, output, line };
});
let past = [];

const client = new ChannelsClient('/ws');
client.on('$state', ({ name }) => (document.getElementById('state').textContent = STATES[name] ?? 'Offline'));
const figures = client.channel('figures');
// What was missed comes by itself where all of it is still there.
figures.on('$subscribed', ({ data, recovered }) => recovered || show(data));
figures.on('figures', (now) => show([...past, now].slice(-KEPT)));

function show(known) {
  past = known;
  for (const { name, digits, unit, output, line } of cards) {
    const values = past.map((one) => one[name]);
    if (values.length > 0) output.textContent = values.at(-1).toFixed(digits) + unit;
    line.setAttribute('points', pointsOf(values));
  }
}

/** From 0, so that a flat line is flat, to a little more than the highest. */
function pointsOf(values) {
  const highest = Math.max(1, ...values) * 1.1;
  return values.map((value, at) => `${at},${HEIGHT - (value / highest) * HEIGHT}`).join(' ');
}
