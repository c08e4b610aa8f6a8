// The database of the nodes of bench/node-death.mjs: the transaction of sample/02-orders in a process of its own, as a
// database server is one, for its SQLite takes one process only. DATABASE is its file. With the argument `ids` it goes
// without the id of the message.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Bids } from '../../dist-sample/bench/02-orders/bids.js';
import { Database } from '../../dist-sample/bench/02-orders/database.js';
import { report } from './report.mjs';

const hasIds = !process.argv.slice(2).includes('ids');

/** Bids of which each counts, not the highest alone. */
class Orders extends Bids {
  least() {
    return 0;
  }
}

const database = new Database();
const orders = new Orders(database);
let placed = 0;

const http = createServer(async (request, response) => {
  const { customer, messageId, order } = await json(request);
  placed++;
  const row = orders.place(customer, hasIds ? messageId : randomUUID(), order);
  response.end(JSON.stringify(row));
});

process.on('message', ({ type }) => {
  if (type !== 'count') return;
  const [{ rows, different }] = database.all(
    'SELECT count(*) AS rows, count(DISTINCT amount) AS different FROM bids',
  );
  process.send({ type, placed, rows, different });
});

http.listen(0, '127.0.0.1', () => report(http));
