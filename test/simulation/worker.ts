import { parentPort, workerData } from 'node:worker_threads';
import { playAll, type Order } from './batch.js';

// What is thrown where nobody can catch it has no history: it ends the worker, and with it the run.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread
parentPort?.postMessage(await playAll(workerData as Order));
