import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import sqlite, { type BindValues } from 'node-sqlite3-wasm';

/** SQLite in a file: what a transaction has written survives the process, also one that is killed. */
@Injectable()
export class Database implements OnApplicationShutdown {
  readonly #sqlite: InstanceType<typeof sqlite.Database>;
  readonly #path = process.env['DATABASE'] ?? 'auction.db';

  constructor() {
    takeOver(this.#path);
    this.#sqlite = new sqlite.Database(this.#path);
    // This build of SQLite finds the journal of a killed process only where it is a write-ahead log, and has that
    // only where one connection keeps the file to itself.
    this.#sqlite.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL',
    );
  }

  run(sql: string, values: BindValues = []): void {
    this.#sqlite.run(sql, values);
  }

  all<Row>(sql: string, values: BindValues = []): Row[] {
    return this.#sqlite.all(sql, values) as Row[];
  }

  /** All that `work` has written is there when this returns; nothing of it when `work` throws. */
  transaction<Result>(work: () => Result): Result {
    this.#sqlite.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#sqlite.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#sqlite.inTransaction) this.#sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  onApplicationShutdown(): void {
    this.#sqlite.close();
    rmSync(pidFile(this.#path), { force: true });
  }
}

/** The lock of this build of SQLite is a folder: that of a killed process stays, and nobody else could open the file. */
function takeOver(path: string): void {
  const owner = readOwner(path);
  if (owner !== undefined && isAlive(owner)) {
    throw new Error(
      `${path} is open in process ${owner}: stop that one first, or set DATABASE to another file.`,
    );
  }
  rmSync(`${path}.lock`, { recursive: true, force: true });
  writeFileSync(pidFile(path), String(process.pid));
}

function pidFile(path: string): string {
  return `${path}.pid`;
}

function readOwner(path: string): number | undefined {
  try {
    return Number(readFileSync(pidFile(path), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  // In a container every start has the same number.
  if (pid === process.pid || !Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be asked, but lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
