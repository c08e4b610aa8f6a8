import { ChannelsClient, type ClientState } from '../../client/index.js';
import { FIGURES_EVENT, INSPECTOR_CHANNEL, type InspectorApi, type NodeFigures } from '../figures.js';
import { Chart } from './chart.js';
import { Cluster, type ClusterTotals } from './cluster.js';
import { ConnectionsView } from './connections-view.js';
import { byId, setText, textElement } from './elements.js';
import { format, formatAge, formatBytes } from './format.js';
import { Tables } from './tables.js';

const TICK_MS = 1_000;
const LOAD_EVERY_TICKS = 5;

const NOW: readonly (readonly [label: string, value: (totals: ClusterTotals) => string])[] = [
  ['Nodes', ({ nodes }) => format(nodes)],
  ['Connections', ({ connections }) => format(connections)],
  ['Inspector pages', ({ watchers }) => format(watchers)],
  ['Subscriptions', ({ subscriptions }) => format(subscriptions)],
  ['Messages in /s', ({ received }) => format(received)],
  ['Frames out /s', ({ sent }) => format(sent)],
  ['Out /s', ({ bytesSent }) => formatBytes(bytesSent)],
  ['Refused /s', ({ refused }) => format(refused)],
];

const CHARTS: readonly (readonly [chart: Chart, values: (totals: ClusterTotals) => readonly number[]])[] = [
  [new Chart('connections-chart', [{ label: 'open', color: '--one' }]), ({ connections }) => [connections]],
  [
    new Chart('throughput', [
      { label: 'in', color: '--one' },
      { label: 'out', color: '--two' },
    ]),
    ({ received, sent }) => [received, sent],
  ],
  [
    new Chart('latency', [
      { label: 'handlers, median', color: '--one' },
      { label: 'handlers, p99', color: '--two' },
      { label: 'event loop, p99', color: '--three' },
    ]),
    ({ p50Ms, p99Ms, loopDelayMs }) => [p50Ms, p99Ms, loopDelayMs],
  ],
  [
    new Chart('churn', [
      { label: 'opened', color: '--one' },
      { label: 'closed', color: '--two' },
      { label: 'refused', color: '--three' },
    ]),
    ({ opened, closed, refused }) => [opened, closed, refused],
  ],
];

const cluster = new Cluster();
const tables = new Tables();
const stateLine = byId('state', HTMLParagraphElement);
const notice = byId('notice', HTMLDivElement);
const noticeText = byId('notice-text', HTMLParagraphElement);
const client = new ChannelsClient<InspectorApi>(socketUrl());
const connections = new ConnectionsView(client, notify);
const tiles = NOW.map(([label]) => addTile(label));
let ticks = 0;

const hear = (figures: NodeFigures): void => cluster.hear(figures, performance.now());
const channel = client.channel(INSPECTOR_CHANNEL);
channel.on(FIGURES_EVENT, hear);
channel.on('$error', (error) => notify(`The figures cannot be had: ${error.message}`));
// What the node itself tells while it cannot publish.
client.on(FIGURES_EVENT, hear);
client.on('$error', (error) => notify(error.message));
client.on('$state', (state) => {
  setText(stateLine, describe(state));
  document.body.dataset['state'] = state.name;
  if (state.name !== 'open') return;
  cluster.connected(performance.now());
  void connections.load();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const [chart] of CHARTS) chart.redraw();
});
byId('notice-close', HTMLButtonElement).addEventListener('click', () => (notice.hidden = true));
setInterval(tick, TICK_MS);

function tick(): void {
  const now = performance.now();
  const isOpen = client.state.name === 'open' ? 'open' : 'cut';
  const totals = isOpen === 'open' ? cluster.totals(now) : undefined;
  for (const [at, [, value]] of NOW.entries()) {
    const tile = tiles[at];
    if (tile) setText(tile, totals ? value(totals) : format(undefined));
  }
  for (const [chart, values] of CHARTS) chart.add(Date.now(), totals && values(totals));
  tables.show(cluster, now, isOpen);
  if (++ticks % LOAD_EVERY_TICKS === 0 && !document.hidden) connections.refresh();
}

/** In full, since browsers of before 2024 take nothing else. */
function socketUrl(): string {
  const url = new URL(document.body.dataset['socket'] ?? '', document.baseURI);
  url.protocol = url.protocol.replace('http', 'ws');
  url.search = url.hash = '';
  return url.href;
}

function describe(state: ClientState): string {
  const { name, code } = state;
  if (name === 'open') return 'Connected';
  if (name === 'waiting') return `Cut off, trying again within ${formatAge(state.delayMs)}`;
  if (name === 'closed')
    return `Closed${code === undefined ? '' : ` with ${code}`}: reload the page to come back`;
  return 'Connecting';
}

function notify(text: string): void {
  setText(noticeText, text);
  notice.hidden = false;
}

function addTile(label: string): HTMLElement {
  const tile = document.createElement('div');
  const value = textElement('dd', format(undefined));
  tile.append(textElement('dt', label), value);
  byId('now', HTMLDListElement).append(tile);
  return value;
}
