import uPlot from 'uplot';
import { byId, setText, textElement } from './elements.js';
import { format } from './format.js';

/** How many seconds a chart shows. */
const SHOWN_S = 120;

const HEIGHT = 170;

/** One line of a chart: its name, and the custom property of CSS that has its colour. */
export interface Line {
  readonly label: string;
  readonly color: string;
}

/** A chart of the last two minutes, one value of each line a second, with the newest as text above it. */
export class Chart {
  readonly #plot: uPlot;
  readonly #values: readonly HTMLElement[];
  readonly #times: number[] = [];
  readonly #lines: (number | null)[][];

  constructor(
    name: string,
    private readonly lines: readonly Line[],
  ) {
    this.#lines = lines.map(() => []);
    const legend = byId(`${name}-legend`, HTMLDListElement);
    this.#values = lines.map((line) => addToLegend(legend, line));
    const place = byId(`${name}-plot`, HTMLDivElement);
    this.#plot = new uPlot(this.#options(place.clientWidth), this.#data(), place);
    new ResizeObserver(() => this.#plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  }

  /** Adds a second; a gap where nothing is known. */
  add(atMs: number, values: readonly number[] | undefined): void {
    const data = [this.#times, ...this.#lines];
    this.#times.push(atMs / 1_000);
    for (const [at, line] of this.#lines.entries()) line.push(values?.[at] ?? null);
    if (this.#times.length > SHOWN_S) for (const column of data) column.shift();
    for (const [at, shown] of this.#values.entries()) setText(shown, format(values?.[at]));
    this.#plot.setData(this.#data());
  }

  /** The colours of the page are others. */
  redraw(): void {
    this.#plot.redraw(false, true);
  }

  /** The same two minutes for all charts, also before anything has come. */
  #shown(): [number, number] {
    const to = this.#times.at(-1) ?? Date.now() / 1_000;
    return [to - SHOWN_S, to];
  }

  #data(): uPlot.AlignedData {
    return [this.#times, ...this.#lines];
  }

  #options(width: number): uPlot.Options {
    const axis = { stroke: () => colorOf('--muted'), grid: { stroke: () => colorOf('--line'), width: 1 } };
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true, range: () => this.#shown() },
        y: { range: (_plot, _from, to) => [0, Math.max(1, (to ?? 0) * 1.15)] },
      },
      axes: [
        {
          ...axis,
          ticks: { show: false },
          space: 110,
          size: 30,
          values: (_plot, ticks) => ticks.map(timeOf),
        },
        {
          ...axis,
          ticks: { show: false },
          size: 52,
          values: (_plot, ticks) => ticks.map((tick) => format(tick)),
        },
      ],
      series: [
        {},
        ...this.lines.map(({ label, color }) => ({
          label,
          stroke: () => colorOf(color),
          width: 2,
          points: { show: false },
        })),
      ],
    };
  }
}

function addToLegend(legend: HTMLElement, { label, color }: Line): HTMLElement {
  const group = document.createElement('div');
  group.className = `line ${color.slice(2)}`;
  const value = textElement('dd', format(undefined));
  group.append(textElement('dt', label), value);
  legend.append(group);
  return value;
}

const probe = document.createElement('span');
probe.hidden = true;
document.body.append(probe);

/** As a canvas understands it: a custom property is the text that stands in the style, `light-dark()` and all. */
function colorOf(property: string): string {
  probe.style.color = `var(${property})`;
  return getComputedStyle(probe).color;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function timeOf(seconds: number): string {
  return TIME.format(seconds * 1_000);
}
