/** Whether a promise has not settled by now, a turn of the event loop included. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise<true>((resolve) => setImmediate(() => resolve(true)));
  return Promise.race([
    promise.then(
      () => false,
      () => false,
    ),
    turn,
  ]);
}
