/** Tells the bench where the server listens, and on request what it has used. */
export function report(port) {
  process.on('message', ({ type }) => {
    if (type === 'usage')
      process.send({ type: 'usage', cpu: process.cpuUsage(), rss: process.memoryUsage.rss() });
  });
  process.send({ type: 'listening', port });
}

/** The loop of single sends: encoded once, sent to each. */
export function broadcastOn(clients) {
  process.on('message', ({ type, perTurn, turns, data }) => {
    if (type !== 'publish') return;
    const turn = (left) => {
      for (let at = 0; at < perTurn; at++) {
        const text = JSON.stringify({ channel: 'room:1', event: 'message', data });
        for (const client of clients) client.send(text);
      }
      if (left > 1) setImmediate(turn, left - 1);
    };
    turn(turns);
  });
}
