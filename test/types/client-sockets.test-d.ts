// Checked by `npm run types`: what the client takes for its ports.
import { WebSocket } from 'ws';
import type { ClientClock, WebSocketConstructor } from 'nestjs-channels/client';
import type { TestClock } from 'nestjs-channels/testing';

export const ofWs: WebSocketConstructor = WebSocket;

declare const testClock: TestClock;
export const clock: ClientClock = testClock;
