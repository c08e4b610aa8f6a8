// `ws` by hand with the recipe of its README against broken connections. The first argument is the interval.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { report } from './report.mjs';

const intervalMs = Number(process.argv[2]) || 30_000;
const http = createServer();
const server = new WebSocketServer({ server: http });

function onPong() {
  this.isAlive = true;
}

server.on('connection', (client) => {
  client.isAlive = true;
  client.on('error', () => {});
  client.on('pong', onPong);
  client.on('message', (message) => {
    const { event, data, id } = JSON.parse(message.toString());
    if (event === 'echo') client.send(JSON.stringify({ ack: id, data }));
  });
});

setInterval(() => {
  for (const client of server.clients) {
    if (!client.isAlive) {
      client.terminate();
      continue;
    }
    client.isAlive = false;
    client.ping();
  }
}, intervalMs);

http.listen(0, '127.0.0.1', () => report(http));
