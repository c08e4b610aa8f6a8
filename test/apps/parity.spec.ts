import { describe, expect, it } from 'vitest';
import { installedApps, RawClient } from '../support/installed-app.js';
import { ANSWERS } from './parity/answers.js';
import { compareWithStock, FRAMEWORKS, NESTS } from './parity/compare.js';
import { ENHANCED } from './parity/enhancers.js';
import { EXCEPTIONS } from './parity/exceptions.js';
import { LIFECYCLE } from './parity/lifecycle.js';
import { PLACES } from './parity/places.js';
import { framesOf } from './parity/scenario.js';
import { STORES } from './parity/stores.js';

/** Gateways with a port of their own have one port alone, or share one. */
const OWN_PORTS = 2;

const start = installedApps('parity', OWN_PORTS);

compareWithStock(start, [...ANSWERS, ...ENHANCED, ...EXCEPTIONS, ...LIFECYCLE, ...PLACES, ...STORES]);

compareWithStock(start, [...ENHANCED, ...LIFECYCLE, ...PLACES], 'by-hand');

describe.each(NESTS)('what a filter returns, on %s', (nest) => {
  it.each(FRAMEWORKS)('is the reply here, and nothing on the stock adapter: %s', async (framework) => {
    const returning = [{ event: 'returning', data: 1 }];
    const stock = await RawClient.open((await start(nest, 'stock', framework)).port, '/filters');
    const ours = await RawClient.open((await start(nest, 'channels', framework)).port, '/filters');

    expect(await framesOf(stock, returning, 0)).toEqual([]);
    expect(await framesOf(ours, returning, 1)).toEqual(['{"event":"returned","data":"by the filter"}']);
  });
});
