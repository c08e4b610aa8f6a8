// Is killed in a transaction that is larger than SQLite's cache, so that much of it stands on the disk.
import { Database } from '../../../sample/02-orders/database.js';

const KEPT = 200;
const MORE_THAN_THE_CACHE = 20_000;

const database = new Database();
const insert = (count: number): void =>
  database.run(
    `INSERT INTO notes SELECT hex(zeroblob(250)), 'kept' FROM
      (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT i FROM n)`,
  );

database.run('CREATE TABLE notes (text TEXT, state TEXT)');
database.transaction(() => insert(KEPT));
database.transaction(() => {
  insert(MORE_THAN_THE_CACHE);
  database.run(`UPDATE notes SET state = 'lost'`);
  process.kill(process.pid, 'SIGKILL');
});
