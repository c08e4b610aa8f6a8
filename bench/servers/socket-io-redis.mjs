// A node of Socket.IO on the Redis whose url is the first argument. Everybody is in one room from the start.
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { load } from '../rivals.mjs';
import { publishOnOrder } from './orders.mjs';
import { report } from './report.mjs';

const { createAdapter } = await load('@socket.io/redis-adapter');
const { Server } = await load('socket.io');

const redis = new Redis(process.argv[2]);
const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  adapter: createAdapter(redis, redis.duplicate()),
});
io.on('connection', (socket) => socket.join('room:1'));
publishOnOrder(async (room, data) => void io.to(room).emit('message', data));
http.listen(0, '127.0.0.1', () => report(http));
