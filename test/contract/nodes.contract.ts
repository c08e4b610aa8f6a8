import type { Nodes, NodesHost } from 'nestjs-channels';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SystemClock, SystemRandom } from '../../lib/nest/system-clock.js';
import { Deferred } from '../support/deferred.js';

/** Nodes under test. */
export interface NodesBench {
  /** Nodes of one application, not yet started. */
  readonly nodes: readonly [Nodes, Nodes, Nodes];
  /** Ends one as `kill -9` does: nobody is told. */
  kill(node: Nodes): Promise<void> | void;
  /** Resolves when a node that was killed has been gone for as long as it takes to be forgotten. */
  forgotten(): Promise<void>;
}

export interface NodesKind {
  create(): Promise<NodesBench> | NodesBench;
}

/** Longer than any test: what resolves has not waited for it. */
const NEVER_MS = 3_600_000;

/** How long nodes that say nothing are waited for. */
const SILENCE_MS = 1_000;

const TEXTS: readonly (readonly [what: string, text: string])[] = [
  ['an empty text', ''],
  ['line breaks', 'one\ntwo\r\nthree\u2028four'],
  ['NUL and other control characters', '\0\u0001\u001f\u007f'],
  ['quotes, braces and backslashes', '"\\"\\\\n{nodes}*'],
  ['half of an astral character', '\ud83d'],
  ['JSON', '{"__proto__":1,"v":2}'],
  ['3 MB, of which each slice ends within a character', `x${'\u{1f600}'.repeat(750_000)}`],
];

/** A node with what it was asked. */
interface Started {
  readonly nodes: Nodes;
  readonly asked: string[];
  readonly failures: string[];
  answer: NodesHost['answer'];
}

/** What every `Nodes` promises (lib/core/nodes.interface.ts), but for what takes several processes. */
export function nodesContract(name: string, { create }: NodesKind): void {
  async function start(): Promise<[Started, Started, Started, NodesBench]> {
    const bench = await create();
    const started: Started[] = [];
    for (const nodes of bench.nodes) started.push(await startOne(nodes));
    return [...(started as [Started, Started, Started]), bench];
  }

  async function startOne(nodes: Nodes): Promise<Started> {
    const started: Started = {
      nodes,
      asked: [],
      failures: [],
      answer: (question) => `${nodes.id} ${question}`,
    };
    await nodes.start({
      clock: new SystemClock(),
      random: new SystemRandom(),
      answer: (question) => {
        started.asked.push(question);
        return started.answer(question);
      },
      failed: (where) => void started.failures.push(where),
    });
    onTestFinished(async () => nodes.close());
    return started;
  }

  describe(`${name} as nodes`, () => {
    it('asks every other node, and waits no longer than for the last of them', async () => {
      const [one, two, three] = await start();

      const { answers, nodes } = await one.nodes.ask('who?', NEVER_MS);

      expect(answers.toSorted(byNode)).toEqual(
        [
          { node: two.nodes.id, text: `${two.nodes.id} who?` },
          { node: three.nodes.id, text: `${three.nodes.id} who?` },
        ].toSorted(byNode),
      );
      expect(nodes).toEqual({ expected: 3, answered: 3, missing: [] });
      expect([one.asked, two.asked, three.asked]).toEqual([[], ['who?'], ['who?']]);
    });

    it('gives each node an id of its own, which may stand in the name of a channel', async () => {
      const ids = (await start()).slice(0, 3).map((started) => (started as Started).nodes.id);

      expect(new Set(ids).size).toBe(3);
      for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9._:-]{1,128}$/);
    });

    it('knows who is there, itself first, when it has asked', async () => {
      const [one, two, three] = await start();

      await one.nodes.ask('who?', NEVER_MS);

      const [self, ...others] = one.nodes.alive();
      expect(self).toBe(one.nodes.id);
      expect(others.toSorted()).toEqual([two.nodes.id, three.nodes.id].toSorted());
    });

    it.each(TEXTS)('carries questions and answers whole: %s', async (_what, text) => {
      const [one, two, three] = await start();
      two.answer = () => text;
      three.answer = (question) => question;

      const { answers } = await one.nodes.ask(text, NEVER_MS);

      expect(answers.map((answer) => answer.text === text)).toEqual([true, true]);
    });

    it('keeps questions apart that are under way together', async () => {
      const [one, two, three] = await start();
      const held = new Deferred<string>();
      two.answer = (question) => (question === 'first' ? held.promise : question);
      three.answer = (question) => question;

      const first = one.nodes.ask('first', NEVER_MS);
      const others = await Promise.all([
        one.nodes.ask('second', NEVER_MS),
        three.nodes.ask('third', NEVER_MS),
      ]);
      held.resolve('late');

      expect(others.map(({ answers }) => answers.length)).toEqual([2, 2]);
      expect(others[0]?.answers.map(({ text }) => text)).toEqual(['second', 'second']);
      expect((await first).answers.map(({ text }) => text).toSorted()).toEqual(['first', 'late']);
    });

    it('names a node that has not answered in time, and gives what the others have said', async () => {
      const [one, two, three] = await start();
      two.answer = () => new Promise(() => undefined);

      const { answers, nodes } = await one.nodes.ask('who?', SILENCE_MS);

      expect(nodes).toEqual({ expected: 3, answered: 2, missing: [two.nodes.id] });
      expect(answers.map(({ node }) => node)).toEqual([three.nodes.id]);
    });

    it('takes an answer that comes too late for no other question', async () => {
      const [one, two] = await start();
      const held = new Deferred<string>();
      two.answer = (question) => (question === 'first' ? held.promise : question);

      await one.nodes.ask('first', SILENCE_MS);
      held.resolve('late');
      const { answers } = await one.nodes.ask('second', NEVER_MS);

      expect(answers.find(({ node }) => node === two.nodes.id)?.text).toBe('second');
    });

    it.each<[string, NodesHost['answer']]>([
      [
        'throws',
        () => {
          throw new Error('on purpose');
        },
      ],
      ['rejects', () => Promise.reject(new Error('on purpose'))],
    ])('counts a node as missing whose answer %s, which that node reports', async (_what, answer) => {
      const [one, two] = await start();
      two.answer = answer;

      const { nodes } = await one.nodes.ask('who?', SILENCE_MS);

      expect(nodes).toMatchObject({ answered: 2, missing: [two.nodes.id] });
      expect([one.failures, two.failures.length]).toEqual([[], 1]);
    });

    it('asks nobody who has left', async () => {
      const [one, two, three] = await start();

      await two.nodes.close();
      const { nodes } = await one.nodes.ask('who?', NEVER_MS);

      expect(nodes).toEqual({ expected: 2, answered: 2, missing: [] });
      expect(one.nodes.alive()).toEqual([one.nodes.id, three.nodes.id]);
      expect(two.asked).toEqual([]);
    });

    it('waits for a node that was killed until it is forgotten', async () => {
      const [one, two, , bench] = await start();

      await bench.kill(two.nodes);
      const before = await one.nodes.ask('who?', SILENCE_MS);
      await bench.forgotten();
      const after = await one.nodes.ask('who?', NEVER_MS);

      expect(before.nodes.missing).toEqual([two.nodes.id]);
      expect(after.nodes).toEqual({ expected: 2, answered: 2, missing: [] });
    });

    it('may be closed twice, and asks nobody afterwards', async () => {
      const [one, two] = await start();
      const pending = one.nodes.ask('who?', NEVER_MS);

      await one.nodes.close();
      await one.nodes.close();
      const { answers } = await one.nodes.ask('after the end', NEVER_MS);
      // It does not wait for anybody any more.
      await pending;

      expect(answers).toEqual([]);
      expect(two.asked).not.toContain('after the end');
    });
  });
}

function byNode(one: { readonly node: string }, other: { readonly node: string }): number {
  return one.node.localeCompare(other.node);
}
