import { once } from 'node:events';
import { createServer } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { EncodedFrame } from '../../core/encoded-frame.js';
import { deflatedText, deflateOptions, inflateAtOnce } from './shared-deflate.js';

const SHARED = JSON.stringify({ text: 'the same for all. '.repeat(200) });
const OWN = 'what ws itself sends. '.repeat(200);
const BEGINNING = 'the beginning of what a peer says, ';
const END = 'and its end. ';
/** A compressed frame of three bytes, masked with zeros, that no deflate has made. */
const BROKEN = Buffer.from([0xc1, 0x83, 0, 0, 0, 0, 1, 2, 3]);

/** It takes some milliseconds. */
const TIMEOUT_MS = 5_000;

/**
 * Why frames cannot be compressed once for all peers with the installed `ws`; `undefined` where they can. Lets a peer
 * read such a frame in front of one that `ws` sends as it is, and another one behind it, and reads what a peer has
 * compressed, whole, in fragments, and broken.
 *
 * @param deflate - how the frame is made
 */
export async function findDeflateFault(deflate = deflatedText): Promise<string | undefined> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: deflateOptions(0) });
  const [here, there] = duplexPair();
  const peer = new WebSocket('ws://self.test', {
    createConnection: () => there,
    perMessageDeflate: { threshold: 0 },
  });
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    peer.on('error', reject);
    timer = setTimeout(() => reject(new Error(`not done within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  });
  try {
    const connected = once(server, 'connection');
    http.emit('connection', here);
    const [socket] = (await Promise.race([connected, failed])) as [WebSocket];
    socket.on('error', ignore);
    return await Promise.race([exchange({ socket, here, peer, there }, deflate), failed]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
    peer.terminate();
    server.close();
    http.close();
  }
}

/** Both ends of a connection, and the streams below them. */
interface Ends {
  readonly socket: WebSocket;
  readonly here: Duplex;
  readonly peer: WebSocket;
  readonly there: Duplex;
}

async function exchange(
  { socket, here, peer, there }: Ends,
  deflate: typeof deflatedText,
): Promise<string | undefined> {
  if (socket.extensions !== 'permessage-deflate') return 'ws has agreed on no compression';
  inflateAtOnce(socket, BEGINNING.length + END.length);
  const said = collect(socket, 2);
  peer.send(BEGINNING);
  peer.send(BEGINNING, { fin: false });
  peer.send(END);
  const heard = collect(peer, 3);
  here.write(deflate(new EncodedFrame(SHARED)));
  socket.send(OWN, { compress: false });
  here.write(deflate(new EncodedFrame(SHARED)));
  if ((await heard).join() !== [SHARED, OWN, SHARED].join())
    return 'a peer has read something else than was sent';
  const isSame = (await said).join() === [BEGINNING, BEGINNING + END].join();
  if (!isSame) return 'something else was read than a peer has sent';
  const failed = once(socket, 'error');
  there.write(BROKEN);
  await failed;
  return socket.readyState !== socket.OPEN ? undefined : 'a broken message has closed nothing';
}

/** So many messages, as text. */
function collect(socket: WebSocket, count: number): Promise<string[]> {
  const texts: string[] = [];
  return new Promise((resolve) => {
    socket.on('message', (message) => {
      texts.push(String(message));
      if (texts.length === count) resolve(texts);
    });
  });
}

/** Whatever ends it has been told, or does not matter any more. */
function ignore(): void {}
