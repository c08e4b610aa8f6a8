// Runs a server of the benches in a process of its own, so that only its work and its memory are measured.
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Starts `servers/<file>.mjs`, hands it to `use` and ends it. `args` are what the server gets as arguments. */
export async function withServer(file, use, args = []) {
  const server = await startServer(file, args);
  try {
    return await use(server);
  } finally {
    await server.end();
  }
}

/** The same for who ends it by hand. */
export async function startServer(file, args = []) {
  const child = fork(
    new URL(`./servers/${file}.mjs`, import.meta.url),
    args.map((arg) => String(arg)),
    // The stock adapter with five gateways on a path draws a warning about listeners for every connection.
    { execArgv: ['--expose-gc', '--no-warnings'] },
  );
  const { port } = await nextOf(child, 'listening');
  return {
    port,
    send: (message) => child.send(message),
    ask: (type, order) => ask(child, type, order),
    next: (type) => nextOf(child, type),
    end: () => end(child),
    /** Asks it to stop, and waits until it has. */
    stop: () => stop(child),
  };
}

/** Sends a request and waits for the message of the same type. */
export function ask(child, type, rest = {}) {
  const answer = nextOf(child, type);
  child.send({ type, ...rest });
  return answer;
}

/** Waits for a message of a process. Rejects when the process ends first. */
export function nextOf(child, type) {
  return new Promise((resolve, reject) => {
    const settle = (done, value) => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      done(value);
    };
    const onMessage = (message) => message.type === type && settle(resolve, message);
    const onExit = (code, signal) =>
      settle(reject, new Error(`a process ended with ${signal ?? code} before "${type}"`));
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}

async function stop(child) {
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Ends a process that may have ended already. */
export async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Ends this process, and by that the others, where it takes longer: nothing is waited for without an end. */
export function endWithin(minutes) {
  const timer = setTimeout(() => {
    console.error(`not done within ${minutes} minutes`);
    process.exit(2);
  }, minutes * 60_000);
  timer.unref();
}
