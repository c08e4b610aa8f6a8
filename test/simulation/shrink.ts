import { judge } from './batch.js';
import type { Command, History } from './commands.js';
import type { Violation } from './facts.js';

export interface Counterexample {
  readonly history: History;
  readonly violation: Violation;
}

/** Leaves out of a history what the violation does not need. Plays it again for each thing that it tries. */
export async function shrink(found: Counterexample): Promise<Counterexample> {
  let best = found;
  const attempt = async (history: History): Promise<boolean> => {
    const violation = await judge(history);
    if (violation?.invariant !== found.violation.invariant) return false;
    best = { history, violation };
    return true;
  };
  for (let isSmaller = true; isSmaller;) {
    isSmaller = await withoutCommands(() => best.history, attempt);
    for (const simpler of simplifications(best.history)) isSmaller = (await attempt(simpler)) || isSmaller;
  }
  return best;
}

type Attempt = (history: History) => Promise<boolean>;

/** Takes commands out, many at a time at first. */
async function withoutCommands(current: () => History, attempt: Attempt): Promise<boolean> {
  let isSmaller = false;
  for (let size = Math.ceil(current().commands.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < current().commands.length;) {
      const history = current();
      const commands = history.commands.toSpliced(at, size);
      if (await attempt({ ...history, commands })) isSmaller = true;
      else at += size;
    }
  }
  return isSmaller;
}

function simplifications(history: History): History[] {
  const simpler: History[] = [];
  if (history.nodes === 2) simpler.push({ ...history, nodes: 1 });
  if (history.people === 2) simpler.push({ ...history, people: 1 });
  if (history.joinMs > 0) simpler.push({ ...history, joinMs: 0 });
  if (history.isTight) simpler.push({ ...history, isTight: false });
  history.commands.forEach((command, at) => {
    for (const plainer of plainerThan(command)) {
      simpler.push({ ...history, commands: history.commands.with(at, plainer) });
    }
  });
  return simpler;
}

function plainerThan(command: Command): Command[] {
  if (command.type === 'pass' && command.ms > 1) return [{ ...command, ms: Math.floor(command.ms / 2) }];
  if (
    command.type === 'publish' &&
    (command.fate !== 'arrives' || command.key !== undefined || command.bytes > 0)
  )
    return [
      { ...command, fate: 'arrives' },
      { ...command, key: undefined },
      { ...command, bytes: 0 },
    ].filter((plainer) => JSON.stringify(plainer) !== JSON.stringify(command)) as Command[];
  if (command.type === 'send') {
    const { work } = command;
    const plain = [
      { ...work, guardMs: 0 },
      { ...work, fails: 'no' as const },
      { ...work, ms: 0 },
    ];
    return [
      ...plain.map((each) => ({ ...command, work: each })),
      { ...command, timeoutMs: undefined },
    ].filter((plainer) => JSON.stringify(plainer) !== JSON.stringify(command));
  }
  return [];
}
