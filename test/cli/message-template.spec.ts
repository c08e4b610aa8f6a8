import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelOf, hasRooms, MessageTemplate } from '../../lib/cli/message-template.js';

describe('MessageTemplate', () => {
  it('puts room and text into texts at any depth, and leaves the rest', () => {
    const template = new MessageTemplate({
      to: ['{room}', 1, null, true],
      deep: { text: '<{text}> {room}' },
    });

    expect(template.render({ room: 'a', text: 'b' })).toEqual({
      to: ['a', 1, null, true],
      deep: { text: '<b> a' },
    });
  });

  it('takes what it puts in as it is', () => {
    const template = new MessageTemplate('{room}');

    expect(template.render({ room: '$&{text}', text: 'never' })).toBe('$&{text}');
    expect(channelOf('chat:{room}', '$&')).toBe('chat:$&');
  });

  it('leaves data without a place as it is', () => {
    const plain = fc.jsonValue().filter((value) => !/\{(room|text)\}/.test(JSON.stringify(value)));
    fc.assert(
      fc.property(plain, (data) => {
        expect(JSON.stringify(new MessageTemplate(data).render({ room: 'a', text: 'b' }))).toBe(
          JSON.stringify(data),
        );
      }),
    );
  });

  it.each(['{"text":"{text}"}', '["a {text} b"]'])('tells a message of %s', (json) => {
    expect(new MessageTemplate(JSON.parse(json)).hasText).toBe(true);
  });

  it.each(['{"text":"{room}"}', 'null'])('tells no message of %s', (json) => {
    expect(new MessageTemplate(JSON.parse(json)).hasText).toBe(false);
  });
});

describe('hasRooms', () => {
  it('tells a pattern from the name of one channel', () => {
    expect([hasRooms('chat:{room}'), hasRooms('news')]).toEqual([true, false]);
  });
});
