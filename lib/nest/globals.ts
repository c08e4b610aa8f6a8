import { createRequire } from 'node:module';
import type { ChannelsModuleOptions } from './channels-options.interface.js';
import type { GlobalEnhancers } from './pipeline-compiler.js';

/** The first major of Nest that runs global enhancers for gateways. */
const FIRST_MAJOR_WITH_GLOBALS = 12;

/** Swapping the adapter must not switch a global guard off, or on: as the installed Nest has it, unless told. */
export function resolveGlobals(globals: ChannelsModuleOptions['globals'] = {}): GlobalEnhancers {
  const byDefault = nestMajor() >= FIRST_MAJOR_WITH_GLOBALS;
  return {
    guards: globals.guards ?? byDefault,
    pipes: globals.pipes ?? byDefault,
    interceptors: globals.interceptors ?? byDefault,
  };
}

export function nestMajor(): number {
  const { version } = createRequire(import.meta.url)('@nestjs/core/package.json') as {
    readonly version: string;
  };
  return Number.parseInt(version, 10);
}
