import { describe, expect, it } from 'vitest';
import { HealthObserver } from '../../lib/nest/health.observer.js';

const engine = { draining: false, connections: new Map([['a', {}]]) };

describe('HealthObserver', () => {
  it('tells where a node is between its start and its end', () => {
    const observer = new HealthObserver();
    const states = [observer.healthOf(engine).state];

    observer.started();
    states.push(observer.healthOf(engine).state);
    states.push(observer.healthOf({ ...engine, draining: true }).state);
    observer.stopped();
    states.push(observer.healthOf({ ...engine, draining: true }).state);

    expect(states).toEqual(['starting', 'up', 'draining', 'stopped']);
  });

  it('never calls a node up, or draining, whose start has failed', () => {
    expect(new HealthObserver().healthOf({ ...engine, draining: true }).state).toBe('starting');
  });

  it('keeps the trouble of the broker for as long as it lasts', () => {
    const observer = new HealthObserver();
    observer.started();

    observer.brokerChanged('deaf', '2 probes have not come back');
    observer.brokerChanged('away', 'ECONNREFUSED');
    const during = observer.healthOf(engine);
    observer.brokerChanged('ready', 'Redis is back');

    expect(during).toEqual({ state: 'up', broker: 'away', brokerTrouble: 'ECONNREFUSED', connections: 1 });
    expect(observer.healthOf(engine)).toMatchObject({ broker: 'ready', brokerTrouble: '' });
  });
});
