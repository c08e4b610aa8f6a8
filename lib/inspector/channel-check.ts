import type { ModulesContainer } from '@nestjs/core';
import { CHANNEL_SYNTAX } from '../core/channel-definition.js';
import { Pattern } from '../core/pattern.js';
import { exploreGateways } from '../nest/gateway-explorer.js';
import { INSPECTOR_CHANNEL } from './figures.js';

const NAMES = INSPECTOR_CHANNEL.split(CHANNEL_SYNTAX.separator);

/**
 * Names of channels are global: a pattern such as `{a}:{b}:{c}` at another gateway would let its peers read the figures
 * without the guards of the inspector.
 *
 * @throws TypeError naming the method
 */
export function checkNobodyElseJoins(modules: ModulesContainer, socket: string): void {
  for (const { name, path, methods } of exploreGateways(modules)) {
    if (path === socket) continue;
    for (const { name: method, subscribes } of methods) {
      if (!subscribes || !new Pattern(subscribes.pattern, CHANNEL_SYNTAX).match(NAMES)) continue;
      throw new TypeError(
        `${name}.${method}: "${subscribes.pattern}" matches "${INSPECTOR_CHANNEL}" and would let its peers see what ` +
          'the inspector shows; give the pattern a literal segment.',
      );
    }
  }
}
