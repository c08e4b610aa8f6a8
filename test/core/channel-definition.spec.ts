import * as fc from 'fast-check';
import { defineChannel } from 'nestjs-channels';
import { isChannelName } from 'nestjs-channels/protocol';
import { describe, expect, it } from 'vitest';
import { CHANNEL_SYNTAX } from '../../lib/core/channel-definition.js';
import { Pattern } from '../../lib/core/pattern.js';

describe('defineChannel', () => {
  it('keeps the pattern, and fills the options in', () => {
    const { pattern, options } = defineChannel('chat:{room}');

    expect([pattern, options]).toEqual([
      'chat:{room}',
      { joinBufferBytes: 65_536, presence: false, overflow: 'disconnect' },
    ]);
  });

  it('keeps the options, and takes an undefined one for its default', () => {
    expect(defineChannel('chat', { joinBufferBytes: 0 }).options.joinBufferBytes).toBe(0);
    expect(defineChannel('chat', { joinBufferBytes: undefined }).options.joinBufferBytes).toBe(65_536);
  });

  it('does not follow a change of the options', () => {
    const options = { joinBufferBytes: 1 };
    const chat = defineChannel('chat', options);

    options.joinBufferBytes = 2;

    expect(chat.options.joinBufferBytes).toBe(1);
  });

  it('takes the longest pattern whose names can be names, and no longer one', () => {
    const longest = `${'a'.repeat(126)}:${'b'.repeat(126)}:{x}`;

    expect(defineChannel(longest).name({ x: 'x' })).toHaveLength(255);
    expect(() => defineChannel(`a${longest}`)).toThrow(
      /matches no name: a channel has 1 to 255 characters\.$/,
    );
  });
});

describe('the name of a defined channel', () => {
  it('has the parameters in their places', () => {
    const team = defineChannel('org:{org}:team:{team}');

    expect(team.name({ org: 'acme', team: 7 })).toBe('org:acme:team:7');
  });

  it('is the pattern where that has no parameters', () => {
    expect(defineChannel('news').name({})).toBe('news');
  });

  it('takes numbers as they are written', () => {
    const at = defineChannel('at:{n}');

    expect([0, -1, 1.5, 1e21].map((n) => at.name({ n }))).toEqual(['at:0', 'at:-1', 'at:1.5', 'at:1e+21']);
  });

  it.each([
    ['is empty', ''],
    ['has a separator', 'a:b'],
    ['is missing', undefined],
    ['is null', null],
    ['is an object', { toString: () => 'a' }],
    ['is a boolean', true],
  ])('is refused where a parameter %s', (_what, room) => {
    const chat = defineChannel('chat:{room}');

    expect(() => chat.name({ room: room as string })).toThrow(
      new TypeError(
        `"chat:{room}": {room} must be one segment, a text or a number; got ${JSON.stringify(room)}.`,
      ),
    );
  });

  it('is refused where a parameter would be inherited', () => {
    const odd = defineChannel('odd:{constructor}');

    expect(() => odd.name({} as { constructor: string })).toThrow(TypeError);
  });

  it.each(['a b', 'a\n', 'é', '{x}', 'a/b', '*', 'a'.repeat(251)])(
    'is refused where it would be no channel name: %j',
    (room) => {
      const chat = defineChannel('chat:{room}');

      expect(() => chat.name({ room })).toThrow(TypeError);
    },
  );

  it('is a channel name that the pattern matches with these parameters, or is refused', () => {
    const chat = defineChannel('chat:{room}:of:{user}');
    const pattern = new Pattern(chat.pattern, CHANNEL_SYNTAX);
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_.@=+~-]{1,130}$/));

    fc.assert(
      fc.property(text, text, (room, user) => {
        const whole = `chat:${room}:of:${user}`;
        const legal =
          isChannelName(whole) && [room, user].every((part) => part !== '' && !part.includes(':'));

        expect(nameOrNothing({ room, user })).toBe(legal ? whole : undefined);
        expect(legal ? pattern.match(whole.split(':')) : { room, user }).toEqual({ room, user });
      }),
      { numRuns: 1_000 },
    );

    function nameOrNothing(params: { readonly room: string; readonly user: string }): string | undefined {
      try {
        return chat.name(params);
      } catch {
        return undefined;
      }
    }
  });
});
