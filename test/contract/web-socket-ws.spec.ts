import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { Arrivals } from '../support/arrivals.js';
import { Deferred } from '../support/deferred.js';
import { freePort } from '../support/free-port.js';
import { webSocketContract, type ContractPeer, type ContractServer } from './web-socket.contract.js';

webSocketContract('the package ws', async (): Promise<ContractServer> => {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  const peers = new Arrivals<ContractPeer>();
  server.on('connection', (socket, request) => {
    const header = request.headers['sec-websocket-protocol'] ?? '';
    peers.add(asPeer(socket, header.split(/\s*,\s*/)));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    WebSocket,
    url: `ws://127.0.0.1:${portOf(http)}`,
    deadUrl: `ws://127.0.0.1:${await freePort()}`,
    peers,
    until: (promise) => promise,
    close: async () => {
      for (const client of server.clients) client.terminate();
      server.close();
      await new Promise((resolve) => http.close(resolve));
    },
  };
});

function asPeer(socket: WebSocket, protocols: readonly string[]): ContractPeer {
  const texts = new Arrivals<string>();
  const closed = new Deferred<{ code: number }>();
  socket.on('message', (data) => texts.add(String(data)));
  socket.on('close', (code) => closed.resolve({ code }));
  // A client that is closed while it connects may reset the connection.
  socket.on('error', () => undefined);
  return {
    protocols,
    texts,
    closed: closed.promise,
    send: (text) => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    cut: () => socket.terminate(),
  };
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}
