import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { RandomStream } from '../../../src/base/random.ts';
import { exists } from '../../../src/base/files.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { convertFile } from '../../../src/ship/convert.ts';
import { checkConversion } from '../../../src/ship/convert/check.ts';
import type { ConvertSamples } from '../../../src/ship/convert/samples.ts';
import { classesOf } from '../../../src/tasks/classification/classes.ts';
import { inspectFile } from '../../../src/tools/inspect.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { numbers } from '../../support/graphs.ts';
import { npyBytes } from '../../support/npy.ts';

const folder = temporaryFolder();
const place = (name: string): string => path.join(folder(), name);

/** Two heads on one dense layer; `factors` is what each is multiplied with. */
function network(...factors: readonly number[]): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 8] });
  const dense = (of: string, rows: number, columns: number, name: string): string => {
    const w = b.constant({ dtype: 'float32', shape: [rows, columns] }, numbers(rows * columns, name), `${name}/w`);
    return b.op('BatchMatMul', [of, w], { transposeA: false, transposeB: false }, name);
  };
  const body = b.op('Relu', [dense(x, 8, 16, 'body')], {}, 'body');
  factors.forEach((factor, i) => {
    const head = dense(body, 16, 1, `head${i}`);
    b.output(
      `head${i}`,
      b.op('Multiply', [head, b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(factor))]),
    );
  });
  return b.build();
}

const bytesOf = (graph: Graph): Uint8Array => encodeModel(lowerToOnnx(graph));
const batches = [{ x: { data: numbers(32 * 8, 'x'), shape: [32, 8] } }];

const many = [{ x: { data: numbers(256 * 8, 'x'), shape: [256, 8] } }];
const classWeights = numbers(8 * 3, 'classes');
/** Scores of three classes for `many`, without biases. */
const answers = Float32Array.from({ length: 256 * 3 }, (_, at) => {
  const [row, column] = [Math.floor(at / 3), at % 3];
  return Array.from({ length: 8 }, (_, i) => many[0]!.x.data[row * 8 + i]! * classWeights[i * 3 + column]!).reduce(
    (sum, term) => sum + term,
  );
});

function classifier(...biases: readonly number[]): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 8] });
  const w = b.constant({ dtype: 'float32', shape: [8, 3] }, classWeights, 'w');
  const sum = b.op('BatchMatMul', [x, w], { transposeA: false, transposeB: false }, 'head');
  b.output('y', b.op('Add', [sum, b.constant({ dtype: 'float32', shape: [3] }, Float32Array.from(biases), 'b')]));
  return b.build();
}

/** The check of a file that holds `made`, whose source on the disk holds `source` and was read as `made`. */
async function check(
  source: Graph,
  made: Graph,
  precision: 'fp32' | 'int8' = 'fp32',
  fed = batches,
  other?: Graph,
  task: Pick<ConvertSamples, 'classOutput' | 'labels'> = {},
) {
  await writeFile(place('source.onnx'), bytesOf(source));
  const opened = { file: place('source.onnx'), graph: made, metadata: new Map<string, string>() };
  const file = { file: 'made.onnx', bytes: bytesOf(made), format: 'onnx', precision, layers: ['head0'] } as const;
  const uncorrected = other && { layers: [], bytes: bytesOf(other), skipped: [], write: () => bytesOf(other) };
  const samples = { calibration: fed, check: fed, folds: [], calibrated: 0, isMadeUp: false, ...task };
  return checkConversion(
    ...([opened, { ...file, ...(uncorrected && { uncorrected }) }, samples, false] as const),
    () => Promise.resolve(opened),
    () => Promise.reject(new Error('there are no folds')),
  );
}

describe('the check after an export', () => {
  it('passes a file that answers as its source does, and says how well', async () => {
    const { outputs, accepted, top1Agreement } = await check(network(1, 1), network(1, 1));
    expect(outputs.map(({ output }) => output)).toEqual(['head0', 'head1']);
    outputs.forEach(({ sqnrDb }) => expect(sqnrDb).toBeGreaterThan(100));
    expect({ accepted, top1Agreement }).toEqual({ accepted: [], top1Agreement: null });
  });

  it('says so where the samples are all the same, or there is but one', async () => {
    const warningsOf = async (count: number): Promise<readonly string[]> => {
      const fed = [{ x: { data: new Float32Array(count * 8).fill(1), shape: [count, 8] } }];
      return (await check(network(1), network(1), 'fp32', fed)).warnings;
    };
    expect(await warningsOf(32)).toEqual([
      expect.stringMatching(/source\.onnx: gives all 32 samples the same answer, /),
    ]);
    expect(await warningsOf(1)).toEqual([expect.stringMatching(/source\.onnx: was compared on one sample/)]);
    expect((await check(network(1), network(1))).warnings).toEqual([]);
  });

  it.each([
    [1.1, 1.02, true],
    [1.02, 1.1, false],
    [1.02, 1.0195, false],
  ])(
    'of a file off by %d and one off by %d without corrected biases, takes the second: %s',
    async (a, b, isUncorrected) => {
      const found = await check(network(1, 1), network(1, a), 'int8', batches, network(1, b));
      expect(found.isUncorrected).toBe(isUncorrected);
      expect(found.outputs[1]!.sqnrDb).toBeCloseTo(-20 * Math.log10((isUncorrected ? b : a) - 1), 1);
    },
  );

  it('takes the file that has more classes right although it has more noise, and the one with less noise where chance has them right', async () => {
    const [shared, turned] = [classifier(0.7, 0.7, 0.7), classifier(0.6, 0, 0)];
    const found = (made: Graph, other: Graph, labels?: Int32Array) =>
      check(classifier(0, 0, 0), made, 'int8', many, other, { classOutput: { classes: 3 }, ...(labels && { labels }) });
    const noise = async (made: Graph): Promise<number> => (await found(made, made)).outputs[0]!.sqnrDb!;
    expect(await noise(turned)).toBeGreaterThan((await noise(shared)) + 0.5);
    for (const labels of [undefined, classesOf(answers, 3)]) {
      expect((await found(turned, shared, labels)).isUncorrected).toBe(true);
      expect((await found(shared, turned, labels)).isUncorrected).toBe(false);
    }
    const drawn = Int32Array.from(answers.subarray(0, 256), (_, i) => i % 3);
    expect((await found(turned, shared, drawn)).isUncorrected).toBe(false);
    expect((await found(shared, turned, drawn)).isUncorrected).toBe(true);
  });

  // One number for each sample: the largest of its row is always the same.
  it.each(['fp32', 'int8'] as const)('refuses a regression that is off by 98 % in %s', async (precision) => {
    await expect(check(network(1), network(0.02), precision)).rejects.toThrow(
      /made\.onnx: answers too differently from .*source\.onnx on 32 samples: output head0: 0\.2 dB/,
    );
  });

  it('names the layer at which a file that it refuses begins to differ', async () => {
    const source = network(1, 1);
    await writeFile(place('source.onnx'), bytesOf(source));
    const opened = { file: place('source.onnx'), graph: source, metadata: new Map<string, string>() };
    const bytes = bytesOf(network(1, 0.02));
    const file = { file: 'made.onnx', bytes, format: 'onnx', precision: 'fp32', layers: [] } as const;
    const samples = { calibration: batches, check: batches, folds: [], calibrated: 0, isMadeUp: false };
    const [one, none] = [() => Promise.resolve(opened), () => Promise.reject(new Error('there are no folds'))];
    await expect(checkConversion(opened, file, samples, false, one, none)).rejects.toThrow(
      /; it begins at the layer Multiply_2: 0\.2 dB, no difference in what it reads/,
    );
  });

  it('refuses a second head that is off by 98 %', async () => {
    await expect(check(network(1, 1), network(1, 0.02), 'int8')).rejects.toThrow(/: output head1: 0\.2 dB/);
  });

  it('refuses a file without one of the outputs', async () => {
    await expect(check(network(1, 1), network(1))).rejects.toThrow(/expected an output head1, received head0/);
  });
});

/** The difference of two large numbers that are nearly the same: no 8 bits hold it. `roundings` is how far every third weight is moved. */
function cancelling(difference = 0.001, roundings = 0): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 8] });
  const [weights, little] = [numbers(8 * 4, 'w'), numbers(8 * 4, 'little')];
  const dense = (share: number, name: string): string => {
    const moved = (i: number): number => (i % 3 === 0 ? 1 + roundings * 2 ** -23 : 1);
    const values = weights.map((value, i) => (value + share * little[i]!) * moved(i));
    const w = b.constant({ dtype: 'float32', shape: [8, 4] }, values, `${name}/w`);
    return b.op('BatchMatMul', [x, w], { transposeA: false, transposeB: false }, name);
  };
  b.output('y', b.op('Sub', [b.op('Relu', [dense(0, 'first')]), b.op('Relu', [dense(difference, 'second')])]));
  return b.build();
}

describe.each(['onnx', 'tflite'] as const)('int8 in %s of what 8 bits cannot hold', (format) => {
  const convert = (accept: boolean) =>
    convertFile({
      ...{ from: place('m.onnx'), format, precision: 'int8', data: place('x.npy'), out: place(`out.${format}`) },
      accept,
    });
  beforeEach(async () => {
    await writeFile(place('m.onnx'), bytesOf(cancelling()));
    await writeFile(place('x.npy'), npyBytes([32, 8], numbers(32 * 8, 'x')));
  });

  it('is refused with a remedy, and nothing is written', async () => {
    await expect(convert(false)).rejects.toMatchObject({
      message: expect.stringMatching(/output y: -?\d+\.\d dB, .*; expected at least 10 dB/) as string,
      hint: expect.stringMatching(/^The file was not written\. .*--keep-float .*--accept/) as string,
    });
    expect(await exists(place(`out.${format}`))).toBe(false);
  });

  it('is written on request, and says of itself what was measured', async () => {
    const { accepted, outputs } = await convert(true);
    expect(accepted).toEqual([expect.stringMatching(/^output y: .* \(on 32 samples that calibrated it\)$/) as string]);
    expect(outputs[0]!.sqnrDb).toBeLessThan(10);
    const { text } = await inspectFile(place(`out.${format}`));
    expect(text).toContain(`accepted although beyond its budget: ${accepted[0]!}`);
  });
});

/** Probabilities that are next to nothing for every sample; `factor` is what they are multiplied with before the sigmoid. */
function silent(shift: number, factor = 1): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', { dtype: 'float32', shape: ['batch', 8] });
  const w = b.constant({ dtype: 'float32', shape: [8, 64] }, numbers(8 * 64, 'w'), 'w');
  const number = (value: number): string =>
    b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(value), `c${value}`);
  const score = b.op('Add', [b.op('BatchMatMul', [x, w], { transposeA: false, transposeB: false }), number(shift)]);
  b.output('y', b.op('Sigmoid', [b.op('Multiply', [score, number(factor)])]));
  return b.build();
}

describe('the check of a float32 file', () => {
  const toTflite = async (graph: Graph) => {
    await writeFile(place('m.onnx'), bytesOf(graph));
    await writeFile(place('x.npy'), npyBytes([32, 8], numbers(32 * 8, 'x')));
    return convertFile({ from: place('m.onnx'), format: 'tflite', data: place('x.npy'), out: place('m.tflite') });
  };

  it('passes answers that differ by the rounding of a sigmoid alone, and says that they say nothing', async () => {
    const { outputs, accepted, warnings } = await toTflite(silent(-20));
    expect(outputs[0]!.sqnrDb).toBeLessThan(60);
    expect(outputs[0]!.largestError).toBeLessThan(2.4e-7);
    expect(accepted).toEqual([]);
    expect(warnings).toContainEqual(
      expect.stringMatching(/m\.onnx: of these samples its output y holds hardly more than the rounding/),
    );
  });

  // Whether two runtimes answer alike to the bit depends on the processor's order of sums, so that the weights differ here.
  it('passes the difference of two sums that are nearly the same', async () => {
    const { outputs, accepted, warnings } = await check(cancelling(1e-6), cancelling(1e-6, 1));
    expect(outputs[0]!.sqnrDb).toBeLessThan(60);
    expect({ accepted, warnings }).toEqual({
      accepted: [],
      warnings: [expect.stringMatching(/its output y holds hardly more than the rounding of its own numbers/)],
    });
    expect((await toTflite(cancelling(1e-6))).accepted).toEqual([]);
  });

  it('refuses what is further off than that', async () => {
    await expect(check(silent(-10), silent(-10, 0.9))).rejects.toThrow(/output y: -?\d+\.\d dB/);
    await expect(check(cancelling(1e-6), cancelling(1e-5))).rejects.toThrow(/output y: -?\d+\.\d dB/);
  });
});

describe('the check of an int8 file', () => {
  /** Small numbers, and at `every`-th samples from `from` on a hundred times as large ones, which no calibration without them has room for. */
  const samples = async (count: number, large: (i: number) => boolean): Promise<string> => {
    const x = numbers(count * 8, 'x').map((value, i) => (large(Math.floor(i / 8)) ? 100 : 1) * value);
    await writeFile(place('x.npy'), npyBytes([count, 8], x));
    return place('x.npy');
  };
  const convert = async (count: number, large: (i: number) => boolean = () => false) => {
    await writeFile(place('m.onnx'), bytesOf(network(1)));
    const data = await samples(count, large);
    return convertFile({ from: place('m.onnx'), precision: 'int8', data, out: place('int8.onnx') });
  };

  it('is on samples that calibrated nothing', async () => {
    const { samples: compared, kind, warnings, outputs } = await convert(400);
    expect({ compared, kind, warnings }).toEqual({ compared: 100, kind: 'samples that were held out', warnings: [] });
    expect(outputs[0]!.sqnrDb).toBeGreaterThan(15);
    expect(await convert(600)).toMatchObject({ samples: 150 });
    expect(await convert(2000)).toMatchObject({ samples: 512 });
  });

  it('leaves each of few samples out once, and says that they are few', async () => {
    const { samples: compared, kind, warnings } = await convert(30);
    expect({ compared, kind }).toEqual({ compared: 30, kind: 'samples, each left out of the calibration once' });
    expect(warnings).toEqual([expect.stringMatching(/was calibrated on 30 samples, which are few: give 128 or more/)]);
    // The file that is written knows the one large sample, those that are checked without it do not.
    const one = convert(30, (i) => i === 17);
    await expect(one).rejects.toThrow(
      /on 30 samples, each left out of the calibration once: output head0: \d\.\d dB, .*which are few/,
    );
    expect(await convert(1)).toMatchObject({ samples: 1, kind: 'samples that calibrated it' });
  });

  it('refuses a file that answers other samples too differently', async () => {
    const heldOut = new RandomStream('calibration').permutation(200).at(-1);
    const one = convert(200, (i) => i === heldOut);
    await expect(one).rejects.toThrow(/on 50 samples that were held out: output head0: \d\.\d dB/);
  });
});

/** y = a * b for every number of two inputs. */
function product(): Graph {
  const b = new GraphBuilder();
  const [one, two] = ['a', 'b'].map((name) => b.input(name, { dtype: 'float32', shape: ['batch', 4] }));
  b.output('y', b.op('Multiply', [one!, two!]));
  b.output('z', b.op('Relu', [one!]));
  return b.build();
}

describe('a model of two inputs', () => {
  beforeEach(() => writeFile(place('two.onnx'), bytesOf(product())));

  it.each(['onnx', 'tflite'] as const)('is written as float %s, compared on made-up inputs', async (format) => {
    const made = await convertFile({ from: place('two.onnx'), format, out: place('float') });
    expect(made).toMatchObject({ isMadeUp: true, samples: 4 });
    expect(made.outputs.map(({ output }) => output)).toEqual(['y', 'z']);
    made.outputs.forEach(({ sqnrDb }) => expect(sqnrDb).toBeGreaterThan(100));
  });

  const npz = (arrays: Readonly<Record<string, Uint8Array>>): Promise<void> =>
    writeFile(place('x.npz'), zipSync(Object.fromEntries(Object.entries(arrays).map(([k, v]) => [`${k}.npy`, v]))));
  const int8 = (format: 'onnx' | 'tflite' = 'onnx') =>
    convertFile({ from: place('two.onnx'), format, precision: 'int8', data: place('x.npz'), out: place('int8') });

  it.each(['onnx', 'tflite'] as const)('is calibrated on an archive with an array for each, in %s', async (format) => {
    await npz({ b: npyBytes([40, 4], numbers(160, 'b')), a: npyBytes([40, 4], numbers(160, 'a')) });
    const { outputs, samples } = await int8(format);
    expect(samples).toBe(40);
    outputs.forEach(({ sqnrDb }) => expect(sqnrDb).toBeGreaterThan(20));
  });

  it('takes the arrays x and y of data that are to be trained on', async () => {
    await writeFile(place('one.onnx'), bytesOf(network(1)));
    await npz({ x: npyBytes([40, 8], numbers(320, 'x')), y: npyBytes([40], new BigInt64Array(40)) });
    const { samples } = await convertFile({
      ...{
        from: place('one.onnx'),
        format: 'onnx',
        precision: 'int8',
        data: place('x.npz'),
        out: place('one-int8.onnx'),
      },
    });
    expect(samples).toBe(40);
  });

  it('says which arrays are missing, and which are too short', async () => {
    await npz({ a: npyBytes([40, 4], numbers(160, 'a')), c: npyBytes([40, 4], numbers(160, 'c')) });
    await expect(int8()).rejects.toThrow(/x\.npz: expected an array for each of the inputs a, b, received a, c/);
    await npz({ a: npyBytes([40, 4], numbers(160, 'a')), b: npyBytes([30, 4], numbers(120, 'b')) });
    await expect(int8()).rejects.toThrow(/expected as many samples for b as for a, which are 40, received 30/);
    await writeFile(place('x.npz'), (await readFile(place('two.onnx'))).subarray(0, 50));
    await expect(int8()).rejects.toThrow(/x\.npz: not an \.npz archive, or a damaged one/);
  });
});
