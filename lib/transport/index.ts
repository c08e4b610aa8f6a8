export type { HandshakeRequest } from './ws/handshake-request.js';
export { HandshakeRefusal, closeCodeOf, defaultBody, type RefusalHeaders } from './ws/refusal.js';
export { normalizePath } from './ws/upgrade-path.js';
export { UpgradeServer, type Admission, type Handshake } from './ws/upgrade-server.js';
export { ExceptionChannelSocket } from './ws/exception-channel-socket.js';
export { deflateOptions } from './ws/shared-deflate.js';
export { findDeflateFault } from './ws/deflate-self-test.js';
export { WsChannelSocket } from './ws/ws-channel-socket.js';
export { createWebSocketServer } from './ws/web-socket-server.js';
