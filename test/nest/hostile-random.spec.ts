import fc from 'fast-check';
import { ERROR_CODES, isMessageId } from 'nestjs-channels/protocol';
import { ConnectionClosed, type TestClient } from 'nestjs-channels/testing';
import { describe, expect, it } from 'vitest';
import { startHostile, type HostileRig } from '../support/hostile-rig.js';

const RUNS = 300;
const MAX_NESTING = 32;

/** How a server may close a connection for what is generated here. */
const documentedClose: unknown = expect.toBeOneOf([1009, 4500]);

/** The id of the message that ends each exchange, as JSON. */
const LAST = '"the last one"';

const anyId = fc.oneof(
  fc.integer(),
  fc.string({ maxLength: 70 }),
  fc.double(),
  fc.constantFrom(null, true, '__proto__', 2 ** 53, [], {}),
);

const anyEvent = fc.oneof(
  { weight: 3, arbitrary: fc.constant('echo') },
  fc.constantFrom('$ping', '$pong', '$hello', '$subscribe', '$unsubscribe', '$history', '$', '__proto__'),
  fc.string({ maxLength: 140 }),
  fc.constantFrom(null, 5, true, [], {}),
);

const anyData = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.record(
    {
      channel: fc.oneof(fc.constantFrom('room:1', 'room:2', 'room:'), fc.string(), fc.constant(5)),
      clientId: fc.oneof(fc.base64String({ minLength: 20, maxLength: 66 }), fc.constant(1)),
      heartbeat: fc.constantFrom(true, false, 'yes'),
      since: fc.constant({ epoch: 'e', offset: 1 }),
    },
    { requiredKeys: [] },
  ),
);

const anyFrame = fc
  .record(
    { event: anyEvent, id: anyId, data: anyData, ack: anyId, type: fc.constant('ping') },
    { requiredKeys: [] },
  )
  .map((frame) => JSON.stringify(frame));

const goodFrame = fc
  .record({ event: fc.constant('echo'), id: fc.oneof(fc.integer(), fc.uuid()), data: fc.jsonValue() })
  .map((frame) => JSON.stringify(frame));

const deepFrame = fc
  .integer({ min: 25, max: 40 })
  .map((depth) => `{"event":"echo","id":1,"data":${'['.repeat(depth)}${']'.repeat(depth)}}`);

/** One message: text, or bytes for a binary one. */
const anyMessage = fc.oneof(
  { weight: 6, arbitrary: anyFrame },
  { weight: 4, arbitrary: goodFrame },
  fc.json(),
  fc.string(),
  fc.uint8Array({ maxLength: 40 }),
  anyFrame.map((text) => new TextEncoder().encode(text)),
  deepFrame,
  goodFrame.map((text) => text.replace('{', '{"__proto__":1,')),
  fc.constantFrom('', 'ping', '{"type":"ping"}', `"${'x'.repeat(65_536)}"`),
);

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

/** The id that a message is to be acked under, as JSON; `undefined` where it asks for no ack. */
function expectedAck(message: string | Uint8Array): string | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(
      typeof message === 'string' ? message : new TextDecoder('utf-8', { fatal: true }).decode(message),
    );
  } catch {
    return undefined;
  }
  if (typeof frame !== 'object' || frame === null || depthOf(frame) > MAX_NESTING) return undefined;
  const { event, id } = frame as { event?: unknown; id?: unknown };
  return typeof event === 'string' && event !== '$pong' && isMessageId(id) ? JSON.stringify(id) : undefined;
}

/** Sends the messages. `true` when the server has answered a last one, `false` when it has closed. */
async function exchange(client: TestClient, messages: readonly (string | Uint8Array)[]): Promise<boolean> {
  for (const message of messages) client.sendRaw(message);
  try {
    await client.request('echo', 'last', { id: JSON.parse(LAST) as string });
    return true;
  } catch (error) {
    if (error instanceof ConnectionClosed) return false;
    throw error;
  }
}

function isDocumented(frame: unknown): boolean {
  const { ack, event, error, data } = frame as Record<string, unknown>;
  if (error !== undefined) return Object.hasOwn(ERROR_CODES, (error as { code: string }).code);
  if (isMessageId(ack)) return true;
  if (event === 'exception') return Object.hasOwn(ERROR_CODES, (data as { code: string }).code);
  return event === 'echoed' || event === '$pong';
}

function sorted(texts: readonly string[]): string[] {
  return texts.toSorted();
}

async function check(
  { app, bystander, faults }: HostileRig,
  messages: (string | Uint8Array)[],
  ours: boolean,
): Promise<void> {
  await using client = await app.connect('/ws', ours ? {} : { protocols: [] });

  const answered = await exchange(client, messages);

  const acks = client.frames.map((frame) => (frame as { ack?: unknown }).ack).filter(isMessageId);
  const expected = [...messages.map(expectedAck).filter((id) => id !== undefined), LAST];
  const outcome = answered ? sorted(acks.map((id) => JSON.stringify(id))) : (await client.closed).code;

  expect(client.frames.filter((frame) => !isDocumented(frame))).toEqual([]);
  expect(outcome).toEqual(answered ? sorted(expected) : documentedClose);
  expect(await bystander.request('echo', 1)).toMatchObject({ data: 1 });
  expect(faults).toEqual([]);
}

describe('random messages', () => {
  it('are answered as documented, once for each id, or close with a documented code', async () => {
    const rig = await startHostile();

    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMessage, { minLength: 1, maxLength: 15 }),
        fc.boolean(),
        (messages, ours) => check(rig, messages, ours),
      ),
      { numRuns: RUNS },
    );
  }, 60_000);
});
