import { EXCEPTION_EVENT } from '../../protocol/index.js';
import { WsChannelSocket } from './ws-channel-socket.js';

/**
 * For Nest 11, whose `BaseWsExceptionFilter` tells a client of an exception by `client.emit('exception', …)`. On a
 * socket of `ws` that is an event which nobody hears; here it is what the filter means.
 */
export class ExceptionChannelSocket extends WsChannelSocket {
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== EXCEPTION_EVENT || this.listenerCount(event) > 0) return super.emit(event, ...args);
    this.tellException(args[0]);
    return true;
  }
}
