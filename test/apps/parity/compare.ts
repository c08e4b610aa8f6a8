import { beforeAll, describe, expect, it } from 'vitest';
import type { Adapter, Framework, Nest } from '../../support/installed-app.js';
import type { Ports, Scenario } from './scenario.js';

type Start = (nest: Nest, adapter: Adapter, framework: Framework) => Promise<Ports>;

export const NESTS = ['nest11', 'nest12'] as const;
export const FRAMEWORKS = ['express', 'fastify'] as const;

/** Three applications start at once, perhaps on a machine that has other work to do. */
export const START_TIMEOUT_MS = 60_000;

/** How long a frame that is missing is waited for. Those that come take milliseconds. */
const SCENARIO_TIMEOUT_MS = 3_000;

/** Runs each scenario on the stock adapter and on ours, and compares what the client has seen. */
export function compareWithStock(
  start: Start,
  scenarios: readonly Scenario[],
  adapter: Adapter = 'channels',
): void {
  const stock = new StockTranscripts(start);
  describe.each(NESTS)(`${adapter} on %s`, (nest) => {
    describe.each(FRAMEWORKS)('with %s', (framework) => {
      beforeAll(async () => {
        await Promise.all([
          start('nest12', 'stock', framework),
          start(nest, 'stock', framework),
          start(nest, adapter, framework),
        ]);
      }, START_TIMEOUT_MS);

      it.each(named(scenarios))('%s', { timeout: SCENARIO_TIMEOUT_MS }, async (_name, scenario) => {
        const like = scenario.row === undefined ? nest : 'nest12';
        const expected = await stock.of(like, framework, scenario);

        const actual = await scenario.run(await start(nest, adapter, framework), scenario.frames);

        expect(actual).toEqual(expected);
        expect(actual).toHaveLength(scenario.frames);
      });
    });
  });
  if (adapter === 'channels') proveRows(start, scenarios);
}

/** A row that is no difference any more has to go. */
function proveRows(start: Start, scenarios: readonly Scenario[]): void {
  const counted = scenarios.filter(({ framesOn11 }) => framesOn11 !== undefined);
  if (counted.length === 0) return;
  describe.each(FRAMEWORKS)('the stock adapter on nest11 with %s', (framework) => {
    it.each(named(counted))('differs by a row: %s', async (_name, { run, framesOn11 = 0, frames }) => {
      const ports = await start('nest11', 'stock', framework);

      expect(framesOn11).toBeLessThan(frames);
      expect(await run(ports, framesOn11)).toHaveLength(framesOn11);
    });
  });
}

/** Vitest cuts names short that it takes out of objects. */
function named(scenarios: readonly Scenario[]): [string, Scenario][] {
  return scenarios.map((scenario) => {
    const row = scenario.row === undefined ? '' : ` (row ${scenario.row})`;
    return [scenario.name + row, scenario];
  });
}

/** What the stock adapter has answered, asked once: a row compares it with more than one application. */
class StockTranscripts {
  readonly #known = new Map<string, Promise<readonly string[]>>();

  constructor(private readonly start: Start) {}

  of(nest: Nest, framework: Framework, scenario: Scenario): Promise<readonly string[]> {
    const key = `${nest} ${framework} ${scenario.name}`;
    const known = this.#known.get(key) ?? this.#run(nest, framework, scenario);
    this.#known.set(key, known);
    return known;
  }

  async #run(nest: Nest, framework: Framework, scenario: Scenario): Promise<readonly string[]> {
    return scenario.run(await this.start(nest, 'stock', framework), scenario.frames);
  }
}
