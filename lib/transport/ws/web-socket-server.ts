import { WebSocketServer, type ServerOptions } from 'ws';
import type { ResolvedOptions } from '../../core/options.js';
import { JSON_SUBPROTOCOL } from '../../protocol/index.js';
import { WsChannelSocket } from './ws-channel-socket.js';

/** Server options of `ws` that the application has given: kept, except where the protocol decides. */
export type WebSocketServerOptions = Readonly<Record<string, unknown>>;

/** A server of `ws` that upgrades what it is handed, with our limits and our sockets. */
export function createWebSocketServer(
  given: WebSocketServerOptions,
  limits: ResolvedOptions,
  report: (error: unknown) => void,
  /** What a socket is made of. */
  socketClass: typeof WsChannelSocket = WsChannelSocket,
): WebSocketServer {
  const options = given as ServerOptions;
  return new WebSocketServer({
    maxPayload: limits.maxMessageBytes,
    // ws counts fragments here; @types/ws does not know these options yet. Pongs count against maxOutboxBytes
    // instead: that ends as 4413, a connection that ws ends for want of room as 1006.
    ...{ maxFragments: limits.maxFragments, maxPendingAutoPongs: 0 },
    ...options,
    noServer: true,
    port: undefined,
    host: undefined,
    path: undefined,
    WebSocket: socketClass,
    handleProtocols: (protocols, request) =>
      chooseProtocol(protocols, () => {
        try {
          return askApplication(options, protocols, request);
        } catch (error) {
          // It may be called long after the upgrade began, where nobody else would catch it.
          report(error);
          return false;
        }
      }),
  });
}

/** Ours, where it stands first in the offer. Else what the application says, or the first, as in `ws`. */
function chooseProtocol(protocols: Set<string>, other: () => string | false): string | false {
  const [first] = protocols;
  return first === JSON_SUBPROTOCOL ? first : other();
}

function askApplication(
  { handleProtocols }: ServerOptions,
  protocols: Set<string>,
  request: Parameters<NonNullable<ServerOptions['handleProtocols']>>[1],
): string | false {
  if (handleProtocols) return handleProtocols(protocols, request);
  const [first] = protocols;
  return first ?? false;
}
