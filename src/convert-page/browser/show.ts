import { decimals, percent } from '../../base/numbers.ts';
import type { Inspected, Layer, ModelEnd } from '../../convert/inspect.ts';
import type { OutputLikeness } from '../../convert/likeness.ts';
import type { Element } from '../../page/browser/dom.ts';
import { make } from '../../page/browser/make.ts';
import type { Failure, MadeFile } from './messages.ts';

type Cell = string | Element;

/** Rows of a table that are shown at most. */
const MOST_ROWS = 2000;

/** Table whose cells are text in the columns that `texts` names, and numbers in others. */
function table(caption: string, head: readonly string[], rows: readonly (readonly Cell[])[], texts: readonly number[]) {
  const kind = (i: number): string | undefined => (texts.includes(i) ? 'text' : undefined);
  return make(
    'div',
    { class: 'scroll layers', tabindex: 0, role: 'region', 'aria-label': caption },
    make(
      'table',
      {},
      make('thead', {}, make('tr', {}, ...head.map((text, i) => make('th', { class: kind(i), scope: 'col' }, text)))),
      make(
        'tbody',
        {},
        ...rows
          .slice(0, MOST_ROWS)
          .map((row) => make('tr', {}, ...row.map((cell, i) => make('td', { class: kind(i) }, cell)))),
      ),
    ),
  );
}

const tile = (figure: string, what: string): Element =>
  make('div', { class: 'tile' }, make('b', {}, figure), make('span', {}, what));

/** Number with a letter for its thousands, as 3.49 M. */
function short(value: number): string {
  const [unit, size] = value >= 1e9 ? ['G', 1e9] : value >= 1e6 ? ['M', 1e6] : value >= 1e3 ? ['k', 1e3] : ['', 1];
  return size === 1 ? String(value) : `${(value / size).toPrecision(3)} ${unit}`;
}

const bytesText = (bytes: number): string => `${short(bytes)}B`.replace(/(\d)B$/, '$1 B');
const shapeText = (shape: readonly (number | string)[]): string =>
  `[${shape.map((size) => (size === -1 || size === '' ? '?' : size)).join(', ')}]`;

/** A model: sizes, ends, operators, layers. */
export function modelElements(name: string, model: Inspected): Element[] {
  const { format, bytes, parameters, weightBytes, macs, inputs, outputs, operators, layers, refused } = model;
  const largest = layers.reduce((most, { outputBytes }) => Math.max(most, outputBytes ?? 0), 0);
  const names = { onnx: 'ONNX', keras: 'Keras', h5: 'Keras, HDF5', tflite: 'TFLite' } as const;
  const tiles = make(
    'div',
    { class: 'tiles' },
    tile(bytesText(bytes), `${name}, ${names[format]}`),
    ...(parameters === undefined ? [] : [tile(short(parameters), 'stored numbers')]),
    tile(bytesText(weightBytes), 'of weights'),
    ...(macs === null ? [] : [tile(short(macs), 'multiply-accumulates for one sample')]),
    ...(layers.length === 0 ? [] : [tile(bytesText(largest), 'the largest output of a layer')]),
  );
  const ends = (what: string, all: readonly ModelEnd[]): (readonly Cell[])[] =>
    all.map((end) => [what, end.name, end.dtype, shapeText(end.shape)]);
  const counts = Object.entries(operators).sort(([, a], [, b]) => b - a);
  return [
    tiles,
    make(
      'section',
      { 'aria-labelledby': 'ends' },
      make('h2', { id: 'ends' }, 'Inputs and outputs'),
      table(
        'Types and shapes',
        ['end', 'name', 'type', 'shape'],
        [...ends('input', inputs), ...ends('output', outputs)],
        [0, 1, 2, 3],
      ),
      make('p', { class: 'soft' }, `Operators: ${counts.map(([op, count]) => `${count} ${op}`).join(', ')}`),
      ...(refused === undefined ? [] : [failureElement(refused)]),
      ...(layers.length === 0 ? [] : [layersElement(name, layers)]),
    ),
  ];
}

function layersElement(file: string, layers: readonly Layer[]): Element {
  const rows = layers.map(({ op, name, output, weightBytes, outputBytes, macs }) => [
    op,
    name,
    shapeText(output),
    short(weightBytes),
    outputBytes === null ? '?' : short(outputBytes),
    macs === null ? '?' : short(macs),
  ]);
  const most = layers.length > MOST_ROWS ? `, the first ${MOST_ROWS} of them` : '';
  return make(
    'details',
    {},
    make('summary', {}, `${layers.length} layers${most}`),
    table(
      `Layers of ${file}`,
      ['operator', 'name', 'output', 'bytes of weights', 'bytes of outputs', 'MACs'],
      rows,
      [0, 1, 2],
    ),
  );
}

/** A failure: the fact, then the remedy. */
export function failureElement({ message, hint }: Failure): Element {
  return make('p', { class: 'caution' }, message, ...(hint === undefined ? [] : [make('br'), hint]));
}

/** Decibels as people read them. */
function decibels(value: number | null): string {
  if (value === null) return '';
  if (value === Infinity) return 'no difference';
  return value === -Infinity ? 'no likeness' : `${decimals(value, 1)} dB`;
}

/** A new file: a link to save it, and how it answers beside its source. */
export function madeElements(
  { name, bytes, notes, layers, compared, latency, worth, seconds }: MadeFile,
  address: string,
): Element[] {
  const tiles = [tile(bytesText(bytes.length), name), tile(`${seconds.toFixed(1)} s`, 'to convert and compare')];
  if (latency !== undefined) {
    tiles.push(
      tile(`${latency.source.toFixed(2)} ms`, 'the source in this browser, a call with one sample, on one thread'),
    );
    tiles.push(tile(`${latency.made.toFixed(2)} ms`, 'the new file in this browser'));
  }
  return [
    make(
      'section',
      { 'aria-labelledby': 'made-title' },
      make('h2', { id: 'made-title', tabindex: -1 }, name),
      make('div', { class: 'tiles' }, ...tiles),
      make('p', {}, make('a', { class: 'save', href: address, download: name }, `Save ${name}`)),
      make('p', {}, worth),
      ...(compared === undefined ? [] : comparedElements(compared)),
      ...(notes.length === 0 ? [] : [make('ul', { class: 'notes' }, ...notes.map((note) => make('li', {}, note)))]),
      layersElement(name, layers),
    ),
  ];
}

function comparedElements({ outputs, samples, isHeldOut, beyond }: NonNullable<MadeFile['compared']>): Element[] {
  const rows = outputs.map(({ output, sqnrDb, relativeError, largestError, top1Agreement }: OutputLikeness) => [
    output,
    sqnrDb === null ? `${percent(top1Agreement ?? 0)} of values are equal` : decibels(sqnrDb),
    largestError.toPrecision(3),
    relativeError === null ? '' : percent(relativeError),
  ]);
  const on = isHeldOut ? 'that did not calibrate it' : 'that calibrated it too, as there are no others';
  return [
    ...(beyond.length === 0
      ? []
      : [
          failureElement({
            message: `It answers too differently from its source: ${beyond.join('; ')}`,
            hint: 'limbeck export refuses to write such a file. Try a higher precision, or samples as the model will meet.',
          }),
        ]),
    make('p', {}, `Beside its source, on ${samples} samples ${on}:`),
    table(
      'Outputs beside those of the source',
      ['output', 'signal to noise', 'largest difference', 'of the range'],
      rows,
      [0],
    ),
  ];
}
