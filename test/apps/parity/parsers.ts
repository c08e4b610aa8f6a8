import { RawClient } from '../../support/installed-app.js';
import { sendAsIs, type Message, type Scenario } from './scenario.js';

/** Messages in a form of the application's own, each after the answer to the one before. */
function speaking(name: string, messages: readonly Message[], unanswered = 0): Scenario {
  const run: Scenario['run'] = async ({ port }) => {
    const client = await RawClient.open(port, '/parser');
    for (const [index, message] of messages.entries()) {
      sendAsIs(client, message);
      await client.received(index + 1 - unanswered);
    }
    return client.frames;
  };
  return { name: `parser: ${name}`, frames: messages.length - unanswered, run };
}

/** What the option `messageParser` reads, and what `setMessageParser` puts in its place. */
export const PARSERS = [
  speaking('text', ['echo|hi', 'echo|a|b', 'echo|']),
  speaking('no data', ['kind']),
  speaking('a binary message', [Buffer.from('echo|é')]),
  speaking('bytes as they are', [Buffer.from('bytes'), 'bytes']),
  speaking('data that JSON cannot carry', ['map|key']),
  speaking('a message that is left aside', ['# a comment', 'echo|hi'], 1),
  speaking('another parser that is set later', [
    'speak|short',
    '{"e":"echo","d":{"a":[1]}}',
    '{"e":"kind"}',
    '{"e":"speak","d":"lines"}',
    'echo|again',
  ]),
];
