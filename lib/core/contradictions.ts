import { describeHistory } from './channel-agreement.js';
import { CHANNEL_SYNTAX } from './channel-definition.js';
import type { RegisteredChannel } from './channel-registry.interface.js';
import { Pattern } from './pattern.js';

/** A sentence for each channel of this node of which another one says something else. */
export function contradictions(
  own: readonly RegisteredChannel[],
  registered: readonly RegisteredChannel[],
): string[] {
  return own.flatMap((channel) => {
    const shape = shapeOf(channel);
    const here = describeHistory(channel.history);
    const said = registered.filter((other) => shapeOf(other) === shape);
    const there = new Set(said.map(({ history }) => describeHistory(history)));
    there.delete(here);
    if (there.size === 0) return [];
    return [
      `"${channel.pattern}" has ${here} here, but ${[...there].join(' or ')} at other nodes, or had until a ` +
        'minute ago: in a deploy that changes it this ends with the last of the old ones, else share one ' +
        'defineChannel(...) between them. What is published without a history is told as $gap where there is one.',
    ];
  });
}

function shapeOf({ pattern }: RegisteredChannel): string {
  return new Pattern(pattern, CHANNEL_SYNTAX).shape;
}
