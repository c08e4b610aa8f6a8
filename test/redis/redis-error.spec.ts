import { ReplyError } from 'ioredis';
import { ChannelsError } from 'nestjs-channels';
import { describe, expect, it } from 'vitest';
import { codeOf, fromRedis } from '../../lib/redis/redis-error.js';
import { RedisServer } from '../support/redis/redis-server.js';

const SHA = '67ed14c1cb086d8c2fcf91ebe13410ba087fd0f8';

function error(message: string): Error {
  return Object.assign(new ReplyError(message), { command: { name: 'evalsha', args: [] } }) as Error;
}

const PASSING: readonly (readonly [code: string, message: string])[] = [
  ['OOM', `OOM command not allowed when used memory > 'maxmemory'. script: ${SHA}, on @user_script:1.`],
  [
    'OOM',
    `ERR Error running script (call to f_${SHA}): @user_script:6: @user_script: 6: ` +
      "-OOM command not allowed when used memory > 'maxmemory'.  ",
  ],
  ['READONLY', `READONLY You can't write against a read only replica. script: ${SHA}, on @user_script:1.`],
  [
    'READONLY',
    `ERR Error running script (call to f_${SHA}): @user_script:1: @user_script: 1: ` +
      "-READONLY You can't write against a read only replica.  ",
  ],
  [
    'MISCONF',
    `ERR Error running script (call to f_${SHA}): @user_script:1: @user_script: 1: ` +
      '-MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.  ',
  ],
  ['MISCONF', 'MISCONF Valkey is configured to save RDB snapshots, but it is currently unable to persist.'],
  ['NOREPLICAS', `NOREPLICAS Not enough good replicas to write. script: ${SHA}, on @user_script:1.`],
  ['LOADING', 'LOADING Redis is loading the dataset in memory'],
  ['MASTERDOWN', "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
  ['CLUSTERDOWN', 'CLUSTERDOWN The cluster is down'],
  ['CLUSTERDOWN', 'CLUSTERDOWN Hash slot not served'],
  ['TRYAGAIN', 'TRYAGAIN Multiple keys request during rehashing of slot'],
  ['BUSY', 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'],
];

const LASTING: readonly (readonly [code: string, message: string])[] = [
  ['WRONGTYPE', `WRONGTYPE Operation against a key holding the wrong kind of value script: ${SHA}, on @x:1.`],
  [
    'ERR',
    `ERR Error running script (call to f_${SHA}): @user_script:1: WRONGTYPE Operation against a key holding ` +
      'the wrong kind of value',
  ],
  ['NOPERM', "NOPERM this user has no permissions to run the 'evalsha' command"],
  ['NOAUTH', 'NOAUTH Authentication required.'],
  ['CROSSSLOT', "CROSSSLOT Keys in request don't hash to the same slot"],
  ['NOSCRIPT', 'NOSCRIPT No matching script. Please use EVAL.'],
];

describe('an error of Redis', () => {
  it.each(PASSING)('is `unavailable` where another try may help: %s, %s', (code, message) => {
    const cause = error(message);

    const told = fromRedis(cause);

    expect(codeOf(message)).toBe(code);
    expect(told).toBeInstanceOf(ChannelsError);
    expect(told).toMatchObject({ code: 'unavailable', retryable: true, cause });
  });

  it.each(LASTING)('stays as it is where no other try will help: %s, %s', (code, message) => {
    const cause = error(message);

    expect(codeOf(message)).toBe(code);
    expect(fromRedis(cause)).toBe(cause);
  });

  it('is `unavailable` where the connection has ended, not Redis has answered', () => {
    expect(fromRedis(new Error('Connection is closed.'))).toMatchObject({ code: 'unavailable' });
  });

  it('is known from what a script of this Redis gets as well', async () => {
    const server = await RedisServer.start();
    const write = ['eval', "return redis.call('set', KEYS[1], '1')", 1, 'key'] as const;
    async function codeAfter(...config: [string, string]): Promise<string> {
      await server.run('config', 'set', ...config);
      const failed: unknown = await server.run(...write).catch((reason: unknown) => reason);
      await server.run('config', 'set', config[0], '0');
      return codeOf((failed as Error).message);
    }

    expect(await codeAfter('maxmemory', '1')).toBe('OOM');
    expect(await codeAfter('min-replicas-to-write', '1')).toBe('NOREPLICAS');
    await server.run('replicaof', server.host, server.port);
    const failed: unknown = await server.run(...write).catch((reason: unknown) => reason);
    expect(codeOf((failed as Error).message)).toBe('READONLY');
  });
});
