import type { ModuleMetadata } from '@nestjs/common';
import type { ChannelsModuleOptions } from 'nestjs-channels';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  CrashingGateway,
  DollarGateway,
  FirstGateway,
  Knocker,
  MarkingInterceptor,
  OwnPortGateway,
  OwnOptionsGateway,
  RowsGateway,
  ScopedGateway,
  SecondGateway,
  ThrowingGateway,
  WaitingGateway,
} from './rows.gateways.js';
import { AnswersGateway } from './answers.gateway.js';

export interface AppSet extends ModuleMetadata {
  /** What it says to our module, where that is installed. */
  readonly channels?: ChannelsModuleOptions;
}

const ROWS = [RowsGateway, FirstGateway, SecondGateway, OwnOptionsGateway, WaitingGateway, ScopedGateway];

const MARKING = { provide: APP_INTERCEPTOR, useClass: MarkingInterceptor };

/** `event|data` instead of JSON. */
export function messageParser(message: unknown): { event: string; data: string } {
  const [event = '', data = ''] = String(message).split('|');
  return { event, data };
}

/** What an application of `main.ts` may consist of. */
export const SETS: Readonly<Record<string, AppSet>> = {
  rows: { providers: ROWS, channels: { allowedOrigins: undefined } },
  'rows, as before': {
    providers: ROWS,
    channels: { plainAcks: false, heartbeatIntervalMs: 0, heartbeatTimeoutMs: 0 },
  },
  impatient: { providers: ROWS, channels: { heartbeatIntervalMs: 500, heartbeatTimeoutMs: 1_000 } },
  global: { providers: [RowsGateway, MARKING] },
  'global, not for messages': {
    providers: [RowsGateway, MARKING],
    channels: { globals: { interceptors: false } },
  },
  'global, for messages': {
    providers: [RowsGateway, MARKING],
    channels: { globals: { interceptors: true } },
  },
  parser: { providers: [RowsGateway], channels: { messageParser } },
  faults: { providers: [CrashingGateway, ThrowingGateway] },
  'own port': { providers: [OwnPortGateway, Knocker] },
  dollar: { providers: [DollarGateway] },
  parity: { providers: [AnswersGateway] },
};
