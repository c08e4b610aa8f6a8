import { describe, expect, it } from 'vitest';
import { SharedReads } from '../../lib/core/shared-reads.js';
import { Deferred } from '../support/deferred.js';
import { settled } from './engine-rig.js';

describe('reads that are shared', () => {
  it('begin anew for who asks while one runs, once for all of them, and are forgotten afterwards', async () => {
    const begun: Deferred<number>[] = [];
    const reads = new SharedReads(() => {
      const read = new Deferred<number>();
      begun.push(read);
      return read.promise;
    });
    const first = reads.read('a');
    const second = [reads.read('a'), reads.read('a')];
    void reads.read('b');
    const sizes = [reads.size];

    begun[0]?.resolve(1);
    await first;
    await settled();
    sizes.push(reads.size);
    begun[2]?.reject(new Error('away'));
    begun[1]?.resolve(0);

    expect(await Promise.allSettled(second)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    await settled();
    expect(begun).toHaveLength(3);
    expect([...sizes, reads.size]).toEqual([2, 2, 0]);
  });
});
