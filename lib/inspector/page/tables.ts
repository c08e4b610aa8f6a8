import { INSPECTOR_CHANNEL, LISTED } from '../figures.js';
import type { Cluster, NodeView } from './cluster.js';
import { byId, setText } from './elements.js';
import { format, formatAge, formatBytes } from './format.js';
import { Rows, type Row } from './rows.js';

/** The tables of nodes and channels. */
export class Tables {
  readonly #nodes = new Rows(byId('nodes', HTMLTableSectionElement));
  readonly #channels = new Rows(byId('channels', HTMLTableSectionElement));
  readonly #nodesNote = byId('nodes-note', HTMLParagraphElement);
  readonly #channelsNote = byId('channels-note', HTMLParagraphElement);

  /** @param isOpen - without its socket the page cannot say who is missing */
  show(cluster: Cluster, now: number, isOpen: 'open' | 'cut'): void {
    const nodes = cluster.nodes(now);
    const missing = nodes.filter(({ isMissing }) => isMissing).length;
    this.#nodes.show(nodes.map((node) => nodeRow(node, isOpen)));
    setText(this.#nodesNote, nodesNote(nodes.length, missing, isOpen));
    const { channels, more } = cluster.channels(now);
    this.#channels.show(channels.map((channel) => channelRow(channel)));
    setText(
      this.#channelsNote,
      more ? `The busiest ${LISTED.channels} of each node; there are more.` : `${channels.length} in all.`,
    );
  }
}

function nodesNote(count: number, missing: number, isOpen: 'open' | 'cut'): string {
  if (isOpen === 'cut') return 'These are the last figures that have come.';
  const nodes = `${count} ${count === 1 ? 'node' : 'nodes'}`;
  return missing === 0 ? `${nodes}, all of them there.` : `${nodes}, ${missing} missing.`;
}

function nodeRow({ node, figures, isMissing, silentMs }: NodeView, isOpen: 'open' | 'cut'): Row {
  const silence = Number.isFinite(silentMs) ? `missing for ${formatAge(silentMs)}` : 'does not answer';
  const state = isOpen === 'cut' ? 'unknown' : isMissing ? silence : 'there';
  const known = isMissing ? undefined : figures;
  return {
    key: node,
    className: isOpen === 'open' && isMissing ? 'missing' : '',
    cells: [
      node,
      state,
      format(known?.connections),
      format(known?.channels),
      format(known?.rates.received),
      format(known?.rates.sent),
      known ? `${format(known.handlers.p99Ms)} ms` : format(undefined),
      known ? `${format(known.loopDelayMs)} ms` : format(undefined),
      formatBytes(known?.outboxBytes),
      known?.broker ?? format(undefined),
    ],
  };
}

function channelRow({
  name,
  subscribers,
  publicationsPerSecond,
}: {
  readonly name: string;
  readonly subscribers: number;
  readonly publicationsPerSecond: number;
}): Row {
  const isOwn = name === INSPECTOR_CHANNEL;
  return {
    key: name,
    className: isOwn ? 'own' : '',
    cells: [isOwn ? `${name} (inspector)` : name, format(subscribers), format(publicationsPerSecond)],
  };
}
