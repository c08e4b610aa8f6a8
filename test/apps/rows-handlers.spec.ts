import { describe, expect, it, vi } from 'vitest';
import { installedApps, RawClient, startInstalled, type Adapter } from '../support/installed-app.js';

// Applications start, perhaps on a machine that has other work to do.
vi.setConfig({ testTimeout: 60_000 });

const apps = installedApps('rows');
const limited = installedApps('limited');

const ECHO = '{"event":"echo","data":"last"}';

describe.each(['nest11', 'nest12'] as const)(
  'a difference of section 11 in what handlers do, on %s',
  (nest) => {
    const portOf = async (adapter: Adapter): Promise<number> => (await apps(nest, adapter, 'express')).port;

    /** What a client is sent for a message and an echo. */
    async function replies(adapter: Adapter, message: object): Promise<string[]> {
      const client = await RawClient.open(await portOf(adapter), '/rows');
      client.send(message);
      client.send(ECHO);
      await client.receives(ECHO);
      return client.frames.slice(0, -1);
    }

    it('row 15: a stock gateway has rates only where some are set', async () => {
      const many = Array.from({ length: 1_500 }, () => ECHO);
      const echoes = async (port: number, count: number): Promise<readonly string[]> => {
        const client = await RawClient.open(port, '/rows');
        for (const message of many) client.send(message);
        await client.received(count);
        return client.frames.slice(0, count);
      };
      const stock = await limited(nest, 'stock', 'express');
      const ours = await limited(nest, 'channels', 'express');

      for (const port of [await portOf('stock'), await portOf('channels'), stock.port]) {
        expect(await echoes(port, many.length)).toEqual(many);
      }
      const limitedOnes = await echoes(ours.port, 201);
      expect(limitedOnes.slice(0, 200)).toEqual(many.slice(0, 200));
      expect(limitedOnes[200]).toContain('"rate_limited"');
    });

    it('row 23: what a filter returns is the reply', async () => {
      const message = { event: 'filtered' };

      expect(await replies('stock', message)).toEqual([]);
      expect(await replies('channels', message)).toEqual(['{"event":"filtered","data":1}']);
      expect(await replies('channels', { ...message, id: 1 })).toEqual(['{"ack":1,"data":1}']);
    });

    it('row 25: what a filter throws is told', async () => {
      const message = { event: 'filter throws' };
      const afterwards = {
        nest11: async () => {
          const { app, port } = await startInstalled('nest11', 'stock', 'rows');
          (await RawClient.open(port, '/rows')).send(message);
          return `ended with ${await app.exited}`;
        },
        nest12: () => replies('stock', message),
      };

      expect(await afterwards[nest]()).toEqual(nest === 'nest11' ? 'ended with 1' : []);
      expect(await replies('channels', message)).toEqual([
        expect.stringContaining('"message":"from the filter"'),
      ]);
    });

    it('row 26: what has no JSON is not sent', async () => {
      expect(await replies('stock', { event: 'no JSON' })).toEqual(['binary ']);
      expect(await replies('channels', { event: 'no JSON' })).toEqual([]);
      expect(await replies('channels', { event: 'no JSON', id: 1 })).toEqual(['{"ack":1}']);
    });

    it('row 27: what a handler returns at once leaves before what another listener sends', async () => {
      const order = async (adapter: Adapter): Promise<string[]> => {
        const client = await RawClient.open(await portOf(adapter), '/beside');
        client.send(ECHO);
        await client.received(2);
        return client.frames;
      };

      expect(await order('stock')).toEqual(['"from a listener"', ECHO]);
      expect(await order('channels')).toEqual([ECHO, '"from a listener"']);
    });

    it('row 28: handleDisconnect is told the code', async () => {
      const told = async (adapter: Adapter): Promise<string[]> => {
        const observer = await RawClient.open(await portOf(adapter), '/leaving');
        const leaving = await RawClient.open(await portOf(adapter), '/leaving');
        await Promise.all([observer.received(1), leaving.received(1)]);
        leaving.socket.close(4321);
        await observer.received(2);
        return observer.frames.slice(1);
      };
      const withCode = ['{"event":"left","data":[4321]}'];

      expect(await told('stock')).toEqual(nest === 'nest12' ? withCode : ['{"event":"left","data":[]}']);
      expect(await told('channels')).toEqual(withCode);
    });
  },
);
