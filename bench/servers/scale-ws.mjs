// `ws` by hand, beside servers/scale.mjs: it sends what that one publishes, to everybody.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { publishTurns } from './turns.mjs';
import { report } from './report.mjs';

const http = createServer();
const server = new WebSocketServer({ server: http });
server.on('connection', (client) => client.on('error', () => {}));
publishTurns((channel, data) => {
  const text = JSON.stringify({ channel, event: 'message', data });
  for (const client of server.clients) client.send(text);
});
// As many may wait to be accepted as with the others.
http.listen(0, '127.0.0.1', 4_096, () => report(http));
