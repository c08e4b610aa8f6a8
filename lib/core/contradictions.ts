import { describeHistory, toTable } from './channel-agreement.js';
import { CHANNEL_SYNTAX } from './channel-definition.js';
import type { RegisteredChannel, RegisteredChannels } from './channel-registry.interface.js';
import { Pattern } from './pattern.js';

/**
 * A sentence for each pattern of whose channels other nodes say something else than this one.
 *
 * @param registered - of each node all that it says: which pattern fits a channel best is a matter of all of them
 */
export function contradictions(own: RegisteredChannels, registered: readonly RegisteredChannels[]): string[] {
  const mine = toTable(own);
  const theirs = registered.map(toTable);
  return [...namesOf([...own, ...registered.flat()])].flatMap(([name, pattern]) => {
    const match = mine.match(name);
    if (!match) return [];
    const here = describeHistory(match.value);
    const said = theirs.map((table) => table.match(name)).filter((other) => other !== undefined);
    const there = new Set(said.map(({ value }) => describeHistory(value)));
    there.delete(here);
    if (there.size === 0) return [];
    return [
      `"${pattern}" has ${here} here, but ${[...there].join(' or ')} at other nodes, or had until a ` +
        'minute ago: in a deploy that changes it this ends with the last of the old ones, else share one ' +
        'defineChannel(...) between them. What is published without a history is told as $gap where there is one.',
    ];
  });
}

/** A name for each shape, with its first pattern: the shape itself, whose `{}` no literal can be. */
function namesOf(channels: readonly RegisteredChannel[]): Map<string, string> {
  const patterns = new Map<string, string>();
  for (const { pattern } of channels) {
    const { shape } = new Pattern(pattern, CHANNEL_SYNTAX);
    if (!patterns.has(shape)) patterns.set(shape, pattern);
  }
  return patterns;
}
