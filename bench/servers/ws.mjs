// `ws` by hand: the obvious code, without Nest. The first argument has options of the server as JSON.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { broadcast, broadcastOn, report } from './report.mjs';

const http = createServer();
const server = new WebSocketServer({ server: http, ...JSON.parse(process.argv[2] ?? '{}') });
server.on('connection', (client) => {
  client.on('error', () => {});
  client.on('message', (message) => {
    const { event, data, id } = JSON.parse(message.toString());
    if (event === 'echo' || event === 'acked') client.send(JSON.stringify({ ack: id, data }));
    else if (event === 'publish') broadcast(server.clients, data);
  });
});
broadcastOn(server.clients);
http.listen(0, '127.0.0.1', () => report(http));
