import {
  CLOSE_CODES,
  closeCode,
  closeVerdict,
  ERROR_CODES,
  isChannelName,
  isErrorCode,
  isMessageId,
  JSON_SUBPROTOCOL,
  parseClientFrame,
  type AckFrame,
  type ClientFrame,
  type CloseCodeEntry,
  type CloseVerdict,
  type ErrorCode,
  type EventFrame,
  type HelloData,
  type MessageId,
  type PublicationFrame,
  type ServerFrame,
  type Welcome,
  type WireError,
} from 'nestjs-channels/protocol';

export const verdict: CloseVerdict = closeVerdict(CLOSE_CODES.ServiceRestart.code);
export const entry: CloseCodeEntry | undefined = closeCode(1012);
export const code: ErrorCode = 'forbidden';
export const retryable: boolean = ERROR_CODES[code].retryable;
// @ts-expect-error there is no such code
export const wrongCode: ErrorCode = 'teapot';
export const subprotocol: string = JSON_SUBPROTOCOL;
export const hello: HelloData = { clientId: 'a'.repeat(22) };
export const id: MessageId = 1;
export const event: EventFrame = { event: 'chat.send', data: {}, id };
export const error: WireError = { code, message: 'no', retryable: false };
export const ack: AckFrame = { ack: 'k', error };
export const publication: PublicationFrame = { channel: 'chat:lobby', event: 'said', data: 1 };
export const sent: ClientFrame[] = [event, ack];
export const received: ServerFrame[] = [event, ack, publication];
export const heartbeat = (welcome: Welcome): number => welcome.heartbeat.intervalMs;

export function read(value: unknown): string {
  const frame = parseClientFrame(value);
  if (typeof frame === 'string') return frame;
  return 'event' in frame ? frame.event : String(frame.ack);
}

export const checks = [isChannelName('chat:lobby'), isErrorCode('teapot'), isMessageId(1)] as const;
