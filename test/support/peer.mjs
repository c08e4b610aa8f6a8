// A client in a process of its own, for tests that stop it. It answers protocol pings, joins a
// channel and says `pulse`, once when it is open and once after each ping.
import { WebSocket } from 'ws';

const [url, channel] = process.argv.slice(2);
const peer = new WebSocket(url, 'nestjs-channels.v1.json');
const pulse = () => peer.send('{"event":"pulse"}');

peer.on('open', () => {
  peer.send(JSON.stringify({ event: '$subscribe', id: 1, data: { channel } }));
  pulse();
});
peer.on('ping', pulse);
peer.on('error', () => undefined);
peer.on('close', () => process.exit());
