import { frame, frameLength, open } from './load.mjs';

const openMany = async (count, port, onBytes) => {
  const sockets = [];
  for (let at = 0; at < count; at += 50) {
    const batch = Array.from({ length: Math.min(50, count - at) }, () => open(port, onBytes));
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
};

/** Request and answer: each connection keeps `inFlight` messages under way. CPU of the server per answer. */
export const echo =
  (connections, inFlight, event = 'echo') =>
  async (server, { quick }) => {
    const total = quick ? 20_000 : 200_000;
    let answered = 0;
    let done;
    const finished = new Promise((resolve) => (done = resolve));
    const rest = new Map();
    let next = 100_000_000;
    const request = () => frame(JSON.stringify({ event, data: { text: 'hello' }, id: next++ }));
    const sockets = await openMany(connections, server.port, (bytes, socket, chunk) => {
      const state = rest.get(socket) ?? { length: frameLength(chunk), bytes: 0 };
      rest.set(socket, state);
      state.bytes += bytes;
      const answers = Math.floor(state.bytes / state.length);
      state.bytes -= answers * state.length;
      answered += answers;
      if (answered >= total) done();
      else for (let at = 0; at < answers; at++) socket.write(request());
    });
    const usage = await server.measure(async () => {
      for (const socket of sockets) {
        socket.cork();
        for (let at = 0; at < inFlight; at++) socket.write(request());
        socket.uncork();
      }
      await finished;
    });
    for (const socket of sockets) socket.destroy();
    return { microseconds: usage.cpu / answered, perSecond: answered / usage.seconds };
  };

/** One publication to `subscribers`, `perTurn` of them in each turn of the loop. CPU of the server per delivery. */
export const fanout =
  (subscribers, perTurn) =>
  async (server, { quick }) => {
    const turns = Math.ceil((quick ? 100 : 400) / perTurn);
    let bytes = 0;
    let length = 0;
    let expected = Number.POSITIVE_INFINITY;
    let done;
    const finished = new Promise((resolve) => (done = resolve));
    let acks = subscribers;
    let subscribed;
    const ready = new Promise((resolve) => (subscribed = resolve));
    const sockets = await openMany(subscribers, server.port, (count, _socket, chunk) => {
      if (acks > 0) {
        if (--acks === 0) subscribed();
        return;
      }
      if (length === 0) expected = (length = frameLength(chunk)) * subscribers * perTurn * turns;
      bytes += count;
      if (bytes >= expected) done();
    });
    if (server.name === 'channels') {
      const text = JSON.stringify({ event: '$subscribe', id: 1, data: { channel: 'room:1' } });
      for (const socket of sockets) socket.write(frame(text));
      await ready;
    } else acks = 0;
    const data = { id: 42, text: 'x'.repeat(50), from: 'alice' };
    const usage = await server.measure(async () => {
      server.send({ type: 'publish', perTurn, turns, data });
      await finished;
    });
    for (const socket of sockets) socket.destroy();
    const deliveries = subscribers * perTurn * turns;
    return { microseconds: usage.cpu / deliveries, perSecond: deliveries / usage.seconds };
  };

export const CASES = {
  'echo-50x20': echo(50, 20),
  'echo-200x1': echo(200, 1),
  // To a handler that runs once per id; the rivals have none, and answer as they do above.
  'acked-50x20': echo(50, 20, 'acked'),
  'acked-200x1': echo(200, 1, 'acked'),
  'fanout-1': fanout(1_000, 1),
  'fanout-5': fanout(1_000, 5),
  'fanout-20': fanout(1_000, 20),
};
