import { TestClock } from '../../lib/testing/test-clock.js';
import { FakeServer } from '../client/fake-server.js';
import { FakeWebSocket, type FakePeer } from '../client/fake-web-socket.js';
import { Arrivals } from '../support/arrivals.js';
import { Deferred } from '../support/deferred.js';
import { webSocketContract, type ContractPeer, type ContractServer } from './web-socket.contract.js';

const DEAD = 'ws://dead';

webSocketContract('the fake', async (): Promise<ContractServer> => {
  const clock = new TestClock();
  const server = new FakeServer(clock);
  const peers = new Arrivals<ContractPeer>();
  const Living = server.WebSocket as unknown as typeof FakeWebSocket;
  class Reaching extends Living {
    constructor(url: string, protocols: string[] = []) {
      server.reception = url === DEAD ? 'refuse' : 'accept';
      // The constructor of the server's own class takes what that of a page takes.
      super(...([url, protocols] as unknown as ConstructorParameters<typeof FakeWebSocket>));
      if (url !== DEAD) peers.add(asPeer(this.peer));
    }
  }
  return {
    WebSocket: Reaching as unknown as ContractServer['WebSocket'],
    url: 'ws://fake',
    deadUrl: DEAD,
    peers,
    until: async (promise) => {
      await clock.advance(10);
      return promise;
    },
    close: async () => undefined,
  };
});

function asPeer(peer: FakePeer): ContractPeer {
  const texts = new Arrivals<string>();
  const closed = new Deferred<{ code: number }>();
  // The contract speaks in texts that are no frames.
  peer.receive = (text) => texts.add(text);
  const leave = peer.leave.bind(peer);
  peer.leave = (frame) => {
    closed.resolve(frame);
    leave(frame);
  };
  return {
    protocols: peer.protocols,
    texts,
    closed: closed.promise,
    send: (text) => peer.sendText(text),
    close: (code, reason) => peer.close(code, reason),
    cut: () => peer.cut(),
  };
}
