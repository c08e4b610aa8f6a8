import type { ChannelsClient } from '../../client/index.js';
import {
  INSPECTOR_CHANNEL,
  type ConnectionQuery,
  type InspectorApi,
  type ListedConnection,
  type Outcome,
} from '../figures.js';
import { confirmed } from './confirm.js';
import { byId, setText, textElement } from './elements.js';
import { Rows, type Row } from './rows.js';

const TIMEOUT_MS = 10_000;

/** The connections of all nodes, with what an operator can do about them. */
export class ConnectionsView {
  readonly #note = byId('connections-note', HTMLParagraphElement);
  readonly #rows: Rows;
  readonly #principal = byId('by-principal', HTMLInputElement);
  readonly #channel = byId('by-channel', HTMLInputElement);
  #listed = new Map<string, ListedConnection>();
  #own = '';
  /** Questions that have no answer yet: one at a time, for the last one is to be shown last. */
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: ChannelsClient<InspectorApi>,
    private readonly notify: (text: string) => void,
  ) {
    this.#rows = new Rows(byId('connections', HTMLTableSectionElement), (id) => this.#actions(id));
    byId('search', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.load();
    });
  }

  /** Asks all nodes again, behind a question that is under way. */
  load(): Promise<void> {
    this.#waiting += 1;
    this.#last = this.#last.then(() => this.#load()).finally(() => (this.#waiting -= 1));
    return this.#last;
  }

  /** The same, unless a question is under way. */
  refresh(): void {
    if (this.#waiting === 0) void this.load();
  }

  /** What fails is told, and the list stays as it was. */
  async #load(): Promise<void> {
    if (this.client.state.name !== 'open') return;
    try {
      const list = await this.client.send('inspector.connections', this.#query(), { timeoutMs: TIMEOUT_MS });
      this.#own = list.own;
      this.#listed = new Map(list.connections.map((connection) => [connection.id, connection]));
      this.#rows.show(list.connections.map((connection) => this.#row(connection)));
      setText(this.#note, noteOf(list.connections.length, list.more, list.missing));
    } catch (error) {
      this.notify(`The connections could not be listed: ${messageOf(error)}`);
    }
  }

  #query(): ConnectionQuery {
    const [principal, channel] = [this.#principal.value.trim(), this.#channel.value.trim()];
    return { ...(principal !== '' && { principal }), ...(channel !== '' && { channel }) };
  }

  #row({ id, principal, path, channels, channelCount }: ListedConnection): Row {
    const isInspector = channels.includes(INSPECTOR_CHANNEL);
    const others = channelCount - channels.length;
    const names = channels.map((name) => (name === INSPECTOR_CHANNEL ? 'inspector' : name)).join(', ');
    const mark = id === this.#own ? ' (this page)' : isInspector ? ' (inspector)' : '';
    return {
      key: id,
      cells: [
        (principal || 'anonymous') + mark,
        id,
        path,
        others > 0 ? `${names}, and ${others} more` : names || 'none',
      ],
      className: mark === '' ? '' : 'own',
    };
  }

  #actions(id: string): readonly HTMLElement[] {
    if (id === this.#own) return [];
    const disconnect = textElement('button', 'Disconnect');
    disconnect.addEventListener('click', () => void this.#disconnect(id));
    const { principal = '' } = this.#listed.get(id) ?? {};
    if (principal === '') return [disconnect];
    const revoke = textElement('button', 'Revoke', 'danger');
    revoke.addEventListener('click', () => void this.#revoke(principal));
    for (const button of [disconnect, revoke]) button.setAttribute('aria-description', `${principal}, ${id}`);
    return [disconnect, revoke];
  }

  async #disconnect(connectionId: string): Promise<void> {
    const { principal = '' } = this.#listed.get(connectionId) ?? {};
    const question = `Disconnect ${principal || 'the anonymous connection'} (${connectionId})? The client stays away until it connects again.`;
    if (!(await confirmed(question, 'Disconnect'))) return;
    await this.#do(() =>
      this.client.send('inspector.disconnect', { connectionId }, { timeoutMs: TIMEOUT_MS }),
    );
  }

  async #revoke(principal: string): Promise<void> {
    const question = `Revoke all sessions of ${principal}? All connections of this user end, and no token that there is now gets in again.`;
    if (!(await confirmed(question, 'Revoke'))) return;
    await this.#do(() => this.client.send('inspector.revoke', { principal }, { timeoutMs: TIMEOUT_MS }));
  }

  async #do(act: () => Promise<Outcome>): Promise<void> {
    try {
      const { disconnected, missing } = await act();
      const silent = missing.length > 0 ? ` No answer from ${missing.join(', ')}: try again.` : '';
      this.notify(`Connections closed: ${disconnected}.${silent}`);
    } catch (error) {
      this.notify(`It has failed: ${messageOf(error)}`);
    }
    await this.load();
  }
}

function noteOf(count: number, more: boolean, missing: readonly string[]): string {
  const shown = more
    ? `The first ${count}; there are more: name a user or a channel.`
    : `${count} of ${count}.`;
  return missing.length > 0 ? `${shown} No answer from ${missing.join(', ')}.` : shown;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
