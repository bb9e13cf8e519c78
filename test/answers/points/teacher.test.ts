import { rowOfPoints } from '../../../src/answers/points/layout.ts';
import { binsOf, decodedPoints } from '../../../src/answers/points/simcc.ts';
import { PLAIN, viewOf } from '../../../src/data/batches/batches.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import type { FileTeacherSettings } from '../../../src/distill/teachers/file-teacher.ts';
import { models } from '../../../src/networks/models/registry.ts';
import { parseRecipe } from '../../../src/recipe/load.ts';
import { userError } from '../../data/support.ts';
import { onnxTeacher } from '../../../src/distill/teachers/onnx-teacher.ts';
import { brightnessDetector } from '../../support/detectors.ts';
import '../../support/tasks.ts';

const SIDE = 16;
const BINS = binsOf({ height: SIDE, width: SIDE });
const COUNT = 12;
const NAMES = ['tip', 'base'];

/** Place of each point, as shares of the sides, in picture i, which is `i / 16` bright. */
type Places = (i: number) => readonly (readonly [x: number, y: number])[];

function pictures(places: Places, shape: readonly [number, number, number] = [SIDE, SIDE, 3]): Dataset {
  const [height, width, channels] = shape;
  const each = height * width * channels;
  const samples = new Uint8Array(COUNT * each);
  for (let i = 0; i < COUNT; i++) samples.fill(i * 16, i * each, (i + 1) * each);
  const rows = Array.from({ length: COUNT }, (_, i) =>
    rowOfPoints(
      { width, height, area: 20 },
      places(i).map(([x, y]) => ({ x, y, visibility: 2 })),
      [0, 1],
    ),
  );
  return {
    name: 'validation',
    idPrefix: 'train',
    sampleShape: shape,
    classNames: NAMES,
    count: COUNT,
    samples,
    ids: Int32Array.from({ length: COUNT }, (_, i) => i),
    targets: Float32Array.from(rows.flatMap((row) => [...row])),
    task: 'points',
    points: { skeleton: [], partners: [0, 1], sigmas: [0.05, 0.05], pck: [0.05] },
    normalization: { scale: 1 / 256, mean: [0, 0, 0], std: [1, 1, 1] },
  };
}

async function answers(bytes: Uint8Array, dataset: Dataset, settings: Partial<FileTeacherSettings> = {}) {
  const x = viewOf(dataset, dataset.ids, PLAIN);
  const probe = { x, n: dataset.count };
  const source = { name: 'teacher.onnx', bytes, dataset, probe, session: { executionProviders: ['cpu'] } };
  const teacher = await onnxTeacher(source, { layout: 'auto', outputs: 'auto', intermediate: [], ...settings });
  const { logits } = await teacher.answer(x, dataset.count).finally(() => teacher.dispose());
  expect(teacher.classes).toBe(NAMES.length * 2 * BINS);
  return { key: teacher.key, rows: Array.from({ length: logits.length / BINS }, (_, i) => [...logits.subarray(i * BINS, (i + 1) * BINS)]) }; // prettier-ignore
}

const still: Places = () => [[0.3, 0.6], [0.8, 0.2]]; // prettier-ignore

/** Gaussian around a place, over cells of a side. */
const bump = (place: number, cells: number, deviation: number): number[] =>
  Array.from({ length: cells }, (_, i) => Math.exp(-0.5 * ((i + 0.5 - place * cells) / deviation) ** 2));
const shares = (values: readonly number[]): number[] => {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
};
const softmax = (logits: readonly number[]): number[] =>
  shares(logits.map((value) => Math.exp(value - Math.max(...logits))));
const expectNear = (actual: readonly number[], expected: readonly number[], digits = 5): void => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, digits));
};

describe('rows over places', () => {
  const logits = (scale: number, seed: number, cells = BINS): number[] => Array.from({ length: cells }, (_, i) => scale * Math.sin(seed + i * i)); // prettier-ignore
  // Rows of tip, then of base.
  const [x, y] = [[logits(4, 1), logits(4, 2)], [logits(4, 3), logits(4, 4)]]; // prettier-ignore
  const expected = [x[0]!, y[0]!, x[1]!, y[1]!].map((row) => softmax(row));

  it.each([
    ['two outputs', { simcc_x: x, simcc_y: y }],
    ['two outputs, y first', { simcc_y: y, simcc_x: x }],
    ['one output', { both: x.map((row, k) => [...row, ...y[k]!]) }],
  ] as const)('of %s are the answers of a softmax', async (_, outputs) => {
    const of = Object.entries(outputs).map(([name, rows]) => [name, { dims: [2, rows[0]!.length], base: rows.flat() }] as const);
    const { rows } = await answers(brightnessDetector(SIDE, Object.fromEntries(of)), pictures(still));
    expected.forEach((row, i) => expectNear(softmax(rows[4 * 5 + i]!), row));
  }); // prettier-ignore

  it('whose values are small have been trained with a factor of 10, unless the recipe says logits', async () => {
    const rows = [bump(0.3, BINS, 2), bump(0.8, BINS, 2), bump(0.6, BINS, 2), bump(0.2, BINS, 2)];
    const outputs = { x: { dims: [2, BINS], base: rows.slice(0, 2).flat() }, y: { dims: [2, BINS], base: rows.slice(2).flat() } }; // prettier-ignore
    const bytes = brightnessDetector(SIDE, outputs);
    const sharp = await answers(bytes, pictures(still));
    expectNear(softmax(sharp.rows[0]!), softmax(rows[0]!.map((value) => 10 * value)));
    expectNear(softmax(sharp.rows[3]!), softmax(rows[3]!.map((value) => 10 * value)));
    const plain = await answers(bytes, pictures(still), { outputs: 'logits' });
    expectNear(softmax(plain.rows[0]!), softmax(rows[0]!));
    expect(plain.key).not.toBe(sharp.key);
    const named = await answers(bytes, pictures(still), { outputs: { x: 'y', y: 'x' } });
    expectNear(softmax(named.rows[0]!), softmax(rows[2]!.map((value) => 10 * value)));
  });

  it('of another number of places keep their peaks, and of other points take the order of the data set', async () => {
    const finer = (place: number): number[] => bump(place, 4 * SIDE, 6).map((value) => Math.log(value + 1e-9));
    const of = (places: readonly number[]) => ({ dims: [3, 4 * SIDE], base: places.flatMap(finer) });
    const bytes = brightnessDetector(SIDE, { simcc_x: of([0.8, 0.1, 0.3]), simcc_y: of([0.2, 0.1, 0.6]) });
    await expect(answers(bytes, pictures(still))).rejects.toThrow(/teacher\.onnx: expected places of 2 points: rows over columns .* received simcc_x \[12, 3, 64\], simcc_y \[12, 3, 64\]/); // prettier-ignore
    const { rows } = await answers(bytes, pictures(still), { classes: ['base', 'middle', 'tip'] });
    expectNear(softmax(rows[0]!), shares(bump(0.3, BINS, 3)), 2);
    const [tipX, tipY, , baseX, baseY] = decodedPoints(rows.slice(0, 4).flat(), BINS);
    [[tipX!, 0.3], [tipY!, 0.6], [baseX!, 0.8], [baseY!, 0.2]].forEach(([own, there]) => expect(Math.abs(own! - there!)).toBeLessThanOrEqual(0.5 / BINS + 1e-6)); // prettier-ignore
    await expect(answers(bytes, pictures(still), { classes: ['base', 'middle', 'end'] })).rejects.toThrow(
      'teacher.classes: expected every point of the data set once among the 3 points of teacher.onnx, received none named tip',
    );
  });

  it('of a file of this project stay as they are, in the order of the data set', async () => {
    const own = [x[0]!, y[0]!, x[1]!, y[1]!].flat();
    const bytes = brightnessDetector(SIDE, { logits: { dims: [own.length], base: own } });
    const { rows } = await answers(bytes, pictures(still));
    expect(rows.slice(0, 4).flat()).toEqual([...Float32Array.from(own)]);
    const turned = await answers(bytes, pictures(still), { classes: ['base', 'tip'] });
    expectNear(softmax(turned.rows[0]!), softmax(x[1]!));
  });
});

describe('heat maps', () => {
  const cells = SIDE / 2;
  const map = (px: number, py: number): number[][] =>
    bump(py, cells, 1.2).map((down) => bump(px, cells, 1.2).map((across) => down * across));
  const maps = [map(0.3, 0.6), map(0.8, 0.2)];
  const first = maps.flat(2);
  const last = maps[0]!.flatMap((row, r) => row.flatMap((value, c) => [value, maps[1]![r]![c]!]));

  it.each([
    ['NCHW', { dims: [2, cells, cells], base: first }],
    ['NHWC', { dims: [cells, cells, 2], base: last }],
  ])('%s become their two marginals, between whose cells a cubic goes', async (_, output) => {
    const { rows } = await answers(brightnessDetector(SIDE, { heat: output }), pictures(still));
    const decoded = decodedPoints(rows.slice(0, 4).flat(), BINS);
    still(0).flat().forEach((place, i) => expect(Math.abs(decoded[i + Math.floor(i / 2)]! - place)).toBeLessThan(1 / BINS)); // prettier-ignore
    // In the middle of a cell stands its own probability; heights below a tenth of the highest count as 0.
    const kept = maps[0]!.map((row) => row.map((value) => (value < 0.1 * Math.max(...maps[0]!.flat()) ? 0 : value)));
    const across = shares(kept[0]!.map((_, c) => kept.reduce((sum, row) => sum + row[c]!, 0)));
    const probabilities = softmax(rows[0]!);
    const between = cubic(across, BINS);
    expectNear(probabilities, between);
    // Probabilities of the middle of the peak are those of the Gaussian.
    expect(Math.max(...probabilities) * (BINS / cells)).toBeCloseTo(Math.max(...shares(bump(0.3, cells, 1.2))), 1);
  }); // prettier-ignore

  it('of logits are the softmax over all cells', async () => {
    const logits = maps.map((one) => one.map((row) => row.map((value) => 12 * value - 7)));
    const { rows } = await answers(brightnessDetector(SIDE, { heat: { dims: [2, cells, cells], base: logits.flat(2) } }), pictures(still));
    const all = softmax(logits[1]!.flat());
    const down = Array.from({ length: cells }, (_, r) => all.slice(r * cells, (r + 1) * cells).reduce((sum, p) => sum + p, 0)); // prettier-ignore
    expectNear(softmax(rows[3]!), cubic(down, BINS));
  }); // prettier-ignore

  /** Values at the middles of `bins` places of a cubic (Catmull & Rom 1974) through the middles of cells, as shares of their sum. */
  function cubic(cellsOf: readonly number[], bins: number): number[] {
    const at = (i: number): number => cellsOf[Math.min(cellsOf.length - 1, Math.max(0, i))]!;
    const weights = (t: number): number[] => [-0.5 * t ** 3 + t ** 2 - 0.5 * t, 1.5 * t ** 3 - 2.5 * t ** 2 + 1, -1.5 * t ** 3 + 2 * t ** 2 + 0.5 * t, 0.5 * t ** 3 - 0.5 * t ** 2]; // prettier-ignore
    return shares(
      Array.from({ length: bins }, (_, bin) => {
        const place = ((bin + 0.5) * cellsOf.length) / bins - 0.5;
        const from = Math.floor(place);
        return Math.max(
          0,
          weights(place - from).reduce((sum, weight, j) => sum + weight * at(from - 1 + j), 0),
        );
      }),
    );
  }
});

describe('coordinates', () => {
  // The file moves tip to the right with the brightness, 0 to 11/16; the labels are off by a known distance that changes its sign.
  const off = [0.01, 0.03];
  const moving: Places = (i) =>
    [[0.2 + 0.4 * (i / 16), 0.6], [0.8, 0.2]].map(([x, y], k) => [x! + (i % 2 === 0 ? off[k]! : -off[k]!), y! - off[k]!] as const); // prettier-ignore
  const file = (unit: readonly [number, number], order: readonly number[] = [0, 1], more: readonly number[] = []) => {
    const base = [[0.2, 0.6], [0.8, 0.2]].flatMap((place) => [...order.map((axis) => place[axis]! * unit[axis]!), ...more]); // prettier-ignore
    const slope = base.map((_, i) => (i === order.indexOf(0) ? 0.4 * unit[0] : 0));
    return { base, slope, each: 2 + more.length };
  };

  it.each([
    ['pixels [n, 6], with a depth', file([SIDE, SIDE], [0, 1], [-30]), [6]],
    ['shares [n, 2, 2]', file([1, 1]), [2, 2]],
    ['shares [n, 1, 2, 3], y before x', file([1, 1], [1, 0], [0.9]), [1, 2, 3]],
  ] as const)('in %s are Gaussians as wide as their distances from the labels', async (_, { base, slope }, dims) => {
    const { rows } = await answers(brightnessDetector(SIDE, { a: { dims, base, slope } }), pictures(moving));
    for (const i of [0, 7, 11]) {
      const centre = [0.2 + 0.4 * (i / 16), 0.6, 0.8, 0.2];
      for (const [row, place] of centre.entries()) {
        const deviation = spread(row >> 1);
        expectNear(softmax(rows[4 * i + row]!), shares(bump(place, BINS, deviation)), 4);
      }
    }
  });

  /** Median distance of the nearest places from the labels of a point, as the deviation of a Gaussian with such a median, at least half a place. */
  function spread(point: number): number {
    const distances = Array.from({ length: COUNT }, (_, i) => {
      const own = [[0.2 + 0.4 * (i / 16), 0.6], [0.8, 0.2]][point]!; // prettier-ignore
      return moving(i)[point]!.map((label, axis) => BINS * Math.abs((Math.floor(own[axis]! * BINS) + 0.5) / BINS - label));
    }).flat().sort((a, b) => a - b); // prettier-ignore
    const middle = (distances[COUNT - 1]! + distances[COUNT]!) / 2;
    return Math.max(0.5, middle / 0.6745);
  }

  it('of two outputs are refused until one is named', async () => {
    const { base, slope } = file([SIDE, SIDE]);
    const a = { dims: [4], base, slope };
    const bytes = brightnessDetector(SIDE, { a, score: { dims: [1], base: [1] }, world: { ...a, base: base.map((one) => one / 100) } }); // prettier-ignore
    await expect(answers(bytes, pictures(moving))).rejects.toThrow(
      'teacher.onnx: several outputs may be the places of 2 points: a [12, 4], world [12, 4]',
    );
    const { rows } = await answers(bytes, pictures(moving), { output: 'a' });
    expect(decodedPoints(rows.slice(0, 2).flat(), BINS)[0]).toBeCloseTo((Math.floor(0.2 * BINS) + 0.5) / BINS, 5);
    await expect(answers(bytes, pictures(moving), { output: 'b' })).rejects.toThrow('teacher.output: teacher.onnx has no output b of real numbers'); // prettier-ignore
  });

  it('of data without labels have the spread of labels', async () => {
    const { base, slope } = file([SIDE, SIDE]);
    const unlabelled = { ...pictures(moving), labelled: new Uint8Array(COUNT) };
    const { rows } = await answers(brightnessDetector(SIDE, { a: { dims: [4], base, slope } }), unlabelled);
    expectNear(softmax(rows[3]!), shares(bump(0.2, BINS, Math.sqrt(BINS / 16))), 4);
  });
});

it('a recipe names the points of a teacher as a list', async () => {
  const recipe = (classes: string): string => `name: a
dataset: { type: points, task: points, train: a.csv, test: b.csv, resize: [64, 64] }
teacher: { onnx: a.onnx, classes: ${classes} }
student: { model: points-nano }`;
  const error = await userError(() => parseRecipe(recipe('a.npy'), 'r.yaml', { models }));
  expect(error.message).toContain('teacher.classes: expected a list of the points of the teacher, in its order, received a.npy');
  const { recipe: right } = parseRecipe(recipe('[tip, base]'), 'r.yaml', { models });
  expect(right.teacher?.classes).toEqual(['tip', 'base']);
}); // prettier-ignore
