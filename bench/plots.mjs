// Draws the curves of the benches as SVG. The same values give the same file.
import { mkdirSync, writeFileSync } from 'node:fs';
import { load } from './rivals.mjs';

const FOLDER = new URL('./results/', import.meta.url);
const SIZE = { width: 800, height: 450 };
const INK = '#24292f';

/** Told apart by those who see no colours, too: each series has a symbol of its own. */
const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond'];
const COLOURS = ['#0b62c4', '#c2410c', '#15803d', '#7e22ce'];

/** A page with a dark background must not swallow the text. */
const PAPER = '#ffffff';

/**
 * Writes `bench/results/<name>.svg`.
 *
 * @param name - of the file
 * @param curves - `title`; `x` and `y`, the names of the axes with their units; `series`, each a `name` and `points` of
 * two numbers, whose `marks` are off where they are too many; `log` where each step of x is ten times the one before
 * @returns what a section links to, relative to bench/RESULTS.md
 */
export async function savePlot(name, { title, x, y, series, log = false }) {
  const { init } = await load('echarts');
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  chart.setOption({
    animation: false,
    backgroundColor: PAPER,
    color: COLOURS,
    textStyle: { fontFamily: 'sans-serif', color: INK },
    title: { text: title, left: 'center', top: 12, textStyle: { fontSize: 16, color: INK } },
    legend: { bottom: 8, itemGap: 36, data: series.map((each) => each.name) },
    grid: { left: 80, right: 40, top: 60, bottom: 90 },
    xAxis: { ...axis(x, 30), type: log ? 'log' : 'value' },
    yAxis: { ...axis(y, 55), type: 'value', min: 0 },
    series: series.map(drawn),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(new URL(`${name}.svg`, FOLDER), `${svg}\n`);
  return `results/${name}.svg`;
}

function axis(name, gap) {
  return {
    name,
    nameLocation: 'middle',
    nameGap: gap,
    nameTextStyle: { fontSize: 13 },
    axisLabel: { fontSize: 12, color: INK, formatter: (value) => value.toLocaleString('en-US') },
    axisLine: { show: true, lineStyle: { color: INK } },
    splitLine: { lineStyle: { color: '#e5e7eb' } },
  };
}

function drawn({ name, points, marks = true }, at) {
  const symbol = SYMBOLS[at % SYMBOLS.length];
  return {
    name,
    type: 'line',
    data: points,
    symbol,
    symbolSize: 9,
    showSymbol: marks,
    lineStyle: { width: 2 },
  };
}
