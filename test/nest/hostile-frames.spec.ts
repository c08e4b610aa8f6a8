import { describe, expect, it } from 'vitest';
import { exceptionOf, expectUnharmed, startHostile } from '../support/hostile-rig.js';

const DEEP = 6_000;

/** A message whose nesting is `levels`, the frame itself being the first. */
function nested(levels: number, [open, close]: readonly [string, string] = ['[', ']']): string {
  return `{"event":"echo","id":1,"data":${open.repeat(levels - 1)}1${close.repeat(levels - 1)}}`;
}

const BAD_FRAMES: readonly [string, string][] = [
  ['no JSON', '{"event":"echo"'],
  ['an empty text', ''],
  ['null', 'null'],
  ['an array', '[{"event":"echo","id":1}]'],
  ['a number', '5'],
  ['a text', '"echo"'],
  ['true', 'true'],
  ['neither event nor ack', '{"id":1,"data":2}'],
  ['an event that is a number', '{"event":1,"id":1}'],
  ['an event that is null', '{"event":null,"id":1}'],
  ['an event that is an object', '{"event":{"toString":1},"id":1}'],
  ['an id that is null', '{"event":"echo","id":null}'],
  ['an id that is a fraction', '{"event":"echo","id":1.5}'],
  ['an id that is no safe integer', '{"event":"echo","id":9007199254740992}'],
  ['an id that is infinite', '{"event":"echo","id":1e999}'],
  ['an id that is an object', '{"event":"echo","id":{}}'],
  ['an id that is true', '{"event":"echo","id":true}'],
  ['an id of 65 characters', `{"event":"echo","id":"${'x'.repeat(65)}"}`],
  ['an ack that is no id', '{"ack":{}}'],
  [`arrays nested ${DEEP} deep`, nested(DEEP)],
  [`objects nested ${DEEP} deep`, nested(DEEP, ['{"a":', '}'])],
  [`arrays nested ${DEEP} deep and never closed`, `{"event":"echo","id":1,"data":${'['.repeat(DEEP)}`],
  ['33 levels of arrays', nested(33)],
  ['33 levels of objects', nested(33, ['{"a":', '}'])],
];

describe('a frame that cannot be read', () => {
  it.each(BAD_FRAMES)('is told by an exception and belongs to no id: %s', async (_, text) => {
    const rig = await startHostile();

    rig.client.sendRaw(text);

    expect(await rig.client.next()).toEqual(exceptionOf('bad_frame'));
    await expectUnharmed(rig);
    expect(rig.client.frames).toHaveLength(2);
  });
});

describe('nesting', () => {
  it.each([
    ['arrays', nested(32)],
    ['objects', nested(32, ['{"a":', '}'])],
    ['brackets within a text', `{"event":"echo","id":1,"data":"${'[{'.repeat(100)}\\"${'['.repeat(100)}"}`],
    ['many brackets side by side', `{"event":"echo","id":1,"data":[${'[],'.repeat(1_000)}[]]}`],
  ])('is accepted up to 32 levels: %s', async (_, text) => {
    const { client } = await startHostile();

    client.sendRaw(text);

    expect(await client.next()).toEqual({ ack: 1, data: (JSON.parse(text) as { data: unknown }).data });
  });
});
