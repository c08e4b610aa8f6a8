import { Socket } from 'node:net';
import { FaultPipe, type FaultDirection, type Faults } from './fault-pipe.js';
import { resetSocket } from './reset-socket.js';

type LinkState = 'held' | 'open' | 'broken';

/**
 * One connection through a {@link FaultProxy}: two sockets and a pipe in each direction.
 *
 * @internal
 */
export class FaultLink {
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
  readonly #server = new Socket({ allowHalfOpen: true });
  readonly #pipes: readonly FaultPipe[];
  #state: LinkState = 'held';

  /** `client` is paused and half-open; nothing is read and the target does not hear of it before {@link update}. */
  constructor(
    private readonly client: Socket,
    private readonly target: { readonly host: string; readonly port: number },
    private readonly faults: Faults,
  ) {
    const sockets = [client, this.#server];
    // A failed socket is closed by Node: 'close' follows with hadError, and the pipe passes it on as a reset.
    for (const socket of sockets) socket.on('error', () => undefined);
    this.closed = Promise.all(sockets.map(closeOf)).then(() => undefined);
    this.#pipes = [this.#pipe('toServer'), this.#pipe('toClient')];
  }

  /** Not yet cut or reset. */
  get live(): boolean {
    return this.#state !== 'broken';
  }

  /** To be called after a change of the faults. */
  update(): void {
    if (this.#state === 'held' && !this.faults.blackHoled.toServer) return this.#open();
    if (this.#state === 'open') this.#pipes.forEach((pipe) => pipe.update());
  }

  reset(): void {
    this.#break();
    resetSocket(this.client);
    resetSocket(this.#server);
  }

  destroy(): void {
    this.#break();
    this.client.destroy();
    this.#server.destroy();
  }

  #open(): void {
    this.#state = 'open';
    this.#server.setNoDelay(true);
    this.#server.connect(this.target);
    this.#pipes.forEach((pipe) => pipe.start());
  }

  #break(): void {
    this.#state = 'broken';
    this.#pipes.forEach((pipe) => pipe.stop());
  }

  #pipe(direction: FaultDirection): FaultPipe {
    const source = direction === 'toServer' ? this.client : this.#server;
    const sink = direction === 'toServer' ? this.#server : this.client;
    return new FaultPipe({ source, sink }, direction, this.faults, (lastBytes, type) => {
      this.#break();
      resetSocket(source);
      if (type === 'reset') {
        // Behind the last bytes, which would else be thrown away.
        sink.write(lastBytes, () => resetSocket(sink));
        return;
      }
      sink.end(lastBytes);
      // No reset here: it would discard what the receiver has not read yet. The receiver sees the end of
      // the stream, what it still sends is read and dropped, and its own close ends the socket.
      sink.resume();
    });
  }
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
