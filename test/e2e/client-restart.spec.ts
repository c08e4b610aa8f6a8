import { describe, expect, it } from 'vitest';
import { DeskProcess } from '../support/client-desk-process.js';
import { openClient } from '../support/client-rig.js';

/** The start of a process on a busy machine, twice, and perhaps a build before it. */
const TIMEOUT_MS = 120_000;

describe('a client whose server is started again on the same port', () => {
  it.each([
    ['killed', 'SIGKILL', 1006],
    ['told to end', 'SIGTERM', 1012],
  ] as const)(
    'delivers what was queued meanwhile exactly once and in order, the server being %s',
    { timeout: TIMEOUT_MS },
    async (_what, signal, code) => {
      const first = await DeskProcess.start();
      const log = openClient(first.url);
      await log.client.send('say', 'before');

      await first.end(signal);
      const { reason, code: seen } = await log.reaches('waiting');
      const queued = ['one', 'two', 'three'].map((text) => log.client.send('say', text));
      const second = await DeskProcess.start({ port: first.port });
      const answers = await Promise.all(queued);
      await log.client.send('say', 'after');
      // What a process tells comes on a line of its own, perhaps behind the answer.
      await second.until(() => second.told('said').length > 3);

      expect([reason, seen]).toEqual(['closed_by_server', code]);
      expect(answers).toEqual(['heard one', 'heard two', 'heard three']);
      expect(first.told('said')).toEqual(['before']);
      expect(second.told('said')).toEqual(['one', 'two', 'three', 'after']);
      expect(log.names.slice(0, 3)).toEqual(['connecting', 'open', 'waiting']);
      expect(log.states.at(-1)).toMatchObject({ name: 'open', reason: 'welcomed' });
    },
  );

  it(
    'gets its answer from the second one where the first was killed over the message',
    { timeout: TIMEOUT_MS },
    async () => {
      const first = await DeskProcess.start();
      const log = openClient(first.url);
      const answer = log.client.send('ponder', 'life');
      await first.until(() => first.told('pondered').length === 1);

      await first.end('SIGKILL');
      const second = await DeskProcess.start({ port: first.port, answers: true });

      expect(await answer).toBe('thought about life');
      await second.until(() => second.told('pondered').length > 0);
      // It does not deduplicate across a crash: the message has run twice, as docs/client.md says.
      expect([first.told('pondered'), second.told('pondered')]).toEqual([['life'], ['life']]);
    },
  );
});
