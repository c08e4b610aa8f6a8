export { CLOSE_CODES, closeCode, type CloseCodeEntry } from './close-codes.js';
export { closeVerdict, type CloseVerdict } from './close-verdict.js';
export { ERROR_CODES, isErrorCode, type ErrorCode, type WireError } from './error-codes.js';
export * from './constants.js';
export { isChannelName } from './channel-name.js';
export { isMessageId, parseClientFrame } from './parse-client-frame.js';
export type {
  AckFrame,
  ChannelCommandData,
  ChannelPosition,
  ClientFrame,
  EventFrame,
  HelloData,
  MessageId,
  PublicationFrame,
  ServerFrame,
  Welcome,
} from './frames.js';
