import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import type { WsAdapter } from '@nestjs/platform-ws';
import type { ChannelsModuleExtras, ChannelsModuleOptions } from 'nestjs-channels';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  BesideGateway,
  CrashingGateway,
  DollarGateway,
  FirstGateway,
  Knocker,
  LeavingGateway,
  MarkingInterceptor,
  OwnPortGateway,
  OwnOptionsGateway,
  RowsGateway,
  ScopedGateway,
  SecondGateway,
  SocketIoGateway,
  ThrowingGateway,
  WaitingGateway,
} from './rows.gateways.js';
import { PARITY_SETS } from './parity/sets.js';

export interface AppSet extends ModuleMetadata {
  /** What it says to our module, where that is installed. */
  readonly channels?: ChannelsModuleOptions & ChannelsModuleExtras;
  /** What it does before it listens, to the adapter that it has. */
  readonly configure?: (app: INestApplication, adapter: WsAdapter) => void;
}

const ROWS = [
  RowsGateway,
  FirstGateway,
  SecondGateway,
  OwnOptionsGateway,
  WaitingGateway,
  ScopedGateway,
  LeavingGateway,
  BesideGateway,
];

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
  limited: { providers: ROWS, channels: { messagesPerSecond: 1, messageBurst: 200 } },
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
  'socket.io': { providers: [SocketIoGateway], channels: { autoInstall: 'unless-socket.io' } },
  'socket.io, kept': { providers: [SocketIoGateway], channels: { autoInstall: false } },
  dollar: { providers: [DollarGateway] },
  ...PARITY_SETS,
};
