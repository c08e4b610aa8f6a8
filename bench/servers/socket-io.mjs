// Socket.IO by hand: everybody is in one room from the start.
import { createServer } from 'node:http';
import { load } from '../rivals.mjs';
import { report } from './report.mjs';

const { Server } = await load('socket.io');

const http = createServer();
const io = new Server(http, { path: '/ws', transports: ['websocket'], serveClient: false });
io.on('connection', (socket) => {
  socket.join('room:1');
  socket.on('echo', (data, answer) => answer(data));
});

process.on('message', ({ type, perTurn, turns, data }) => {
  if (type !== 'publish') return;
  const turn = (left) => {
    for (let at = 0; at < perTurn; at++) io.to('room:1').emit('message', data);
    if (left > 1) setImmediate(turn, left - 1);
  };
  turn(turns);
});
http.listen(0, '127.0.0.1', () => report(http));
