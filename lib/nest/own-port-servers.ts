import type { Server } from 'node:http';

interface OwnPort {
  readonly server: Server;
  readonly port: number;
  readonly host?: string;
}

/** HTTP servers of gateways that have a port of their own. */
export class OwnPortServers {
  readonly #servers: OwnPort[] = [];

  add(server: Server, port: number, host: string | undefined): void {
    this.#servers.push({ server, port, host });
  }

  /** Listens on every port. Rejects where one cannot be had. */
  async listen(): Promise<void> {
    await Promise.all(this.#servers.map(listen));
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map(close));
  }
}

function listen({ server, port, host }: OwnPort): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close({ server }: OwnPort): Promise<void> {
  return new Promise((resolve) => {
    // An error here says that it was not listening: then it is closed already.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
