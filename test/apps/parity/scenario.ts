import { RawClient } from '../../support/installed-app.js';

/** Where an application of `test/apps` can be reached. */
export interface Ports {
  readonly port: number;
  readonly ownPorts: readonly number[];
}

/** Rows of docs/protocol.md section 11 by which the stock adapter of Nest 11 differs from that of Nest 12. */
export type Row = 9 | 17 | 28;

/**
 * What a client does, and how many frames it gets. Where it names a row, ours on Nest 11 must do as the
 * stock adapter does on Nest 12, and `framesOn11` is what stock Nest 11 sends: what makes the row true.
 */
export interface Scenario {
  readonly name: string;
  /** How long the transcript is: frames, and what else the scenario writes into it. */
  readonly frames: number;
  readonly row?: Row;
  readonly framesOn11?: number;
  /** Resolves with what the client has seen. Told how long that has to be, it never waits longer. */
  readonly run: (ports: Ports, frames: number) => Promise<readonly string[]>;
}

export type Message = string | object;

const FENCE = JSON.stringify({ event: 'fence' });

/** The fence's own answer, which must come last. */
export const FENCED = '"fence"';

/** A row of the list where one client of one path sends messages at once, and gets frames. */
export function exchange(
  path: string,
  name: string,
  messages: Message | readonly Message[],
  rest: { readonly frames?: number; readonly row?: Row; readonly framesOn11?: number } = {},
): Scenario {
  const list = Array.isArray(messages) ? (messages as readonly Message[]) : [messages as Message];
  const run: Scenario['run'] = async ({ port }, frames) => {
    const client = await RawClient.open(port, path);
    return framesOf(client, list, frames);
  };
  return { name: `${path}: ${name}`, frames: 1, ...rest, run };
}

/** As `exchange`, but each message waits for the frame that the one before it draws, the first for the greeting. */
export function conversation(
  path: string,
  name: string,
  messages: readonly Message[],
  rest: { readonly greetings?: number; readonly frames?: number; readonly row?: Row } = {},
): Scenario {
  const { greetings = 0, ...more } = rest;
  const run: Scenario['run'] = async ({ port }, frames) => {
    const client = await RawClient.open(port, path);
    for (const [index, message] of messages.entries()) {
      await client.received(greetings + index);
      sendAsIs(client, message);
    }
    return framesOf(client, [], frames);
  };
  return { name: `${path}: ${name}`, frames: greetings + messages.length, ...more, run };
}

/** The frames of these messages, and nothing that comes later: the fence's answer ends them. */
export async function framesOf(
  client: RawClient,
  messages: readonly Message[],
  frames: number,
): Promise<readonly string[]> {
  for (const message of messages) sendAsIs(client, message);
  await client.received(frames);
  client.send(FENCE);
  await client.received(frames + 1);
  if (client.frames.at(-1) !== FENCED)
    throw new Error(`more than ${frames} frames: ${client.frames.join('\n')}`);
  return client.frames.slice(0, -1);
}

/** Bytes as a binary frame, text as it is, anything else as JSON. */
export function sendAsIs(client: RawClient, message: Message): void {
  if (Buffer.isBuffer(message)) client.socket.send(message);
  else client.send(message);
}
