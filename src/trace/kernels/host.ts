import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import type { LazyBackend } from '../backend.ts';
import { currentLayer, isTracing } from '../scope.ts';
import type { Attributes, TensorInputs, TensorRow, TensorTable } from './table.ts';

type Numbers = Float32Array | Int32Array;
type Result = readonly [values: tf.BackendValues, shape: number[], dtype: tf.DataType];
type HostKernel = (read: (name: string) => Numbers, inputs: TensorInputs, attrs: Attributes) => Result | Result[];

/** Kernels whose result shape or order depends on values: computed in JavaScript, outside of traces only. */
const host =
  (name: string, run: HostKernel): TensorRow =>
  (inputs, attrs, backend) => {
    if (isTracing()) {
      const layer = currentLayer();
      throw new UserError(
        `${name}${layer === undefined ? '' : ` in layer ${layer}`} cannot be part of a traced step: what it gives depends on values in a way that a graph of fixed shapes cannot hold`,
        'Call it outside the step, on the values that the step gives back.',
      );
    }
    const results = run((key) => backend.readSync(inputs[key]!.dataId) as Numbers, inputs, attrs);
    const written = (result: Result): tf.TensorInfo => write(result, backend);
    return isMany(results) ? results.map(written) : written(results);
  };

function isMany(results: Result | Result[]): results is Result[] {
  return Array.isArray(results[0]);
}

function write([values, shape, dtype]: Result, backend: LazyBackend): tf.TensorInfo {
  return { dataId: backend.write(values, shape, dtype), shape, dtype };
}

function ints(values: readonly number[] | Int32Array): Result {
  return [Int32Array.from(values), [values.length], 'int32'];
}

function floats(values: readonly number[]): Result {
  return [Float32Array.from(values), [values.length], 'float32'];
}

const { nonMaxSuppressionV3Impl, nonMaxSuppressionV4Impl, nonMaxSuppressionV5Impl } = tf.kernel_impls;

/** Draws from each row's categorical distribution, by inverting its cumulative sum. */
function multinomial(
  probabilities: Numbers,
  [rows, events]: readonly number[],
  samples: number,
  seed: number,
): number[] {
  const stream = new RandomStream('multinomial', seed);
  return Array.from({ length: rows! * samples }, (_, i) => {
    let left = stream.uniform();
    const row = probabilities.subarray(Math.floor(i / samples) * events!, (Math.floor(i / samples) + 1) * events!);
    const found = row.findIndex((p) => (left -= p) < 0);
    return found === -1 ? events! - 1 : found;
  });
}

function softmaxRows(logits: Float32Array, width: number): Float32Array {
  return Float32Array.from(logits, (value, i) => {
    const row = logits.subarray(i - (i % width), i - (i % width) + width);
    const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = row.reduce((sum, other) => sum + Math.exp(other - top), 0);
    return Math.exp(value - top) / total;
  });
}

/** Distinct slices along `axis` in order of appearance, and for each slice the index of its equal. */
function unique(values: ArrayLike<unknown>, { shape, dtype }: tf.TensorInfo, axis: number): Result[] {
  const inner = shape.slice(axis + 1).reduce((n, dim) => n * dim, 1);
  const length = shape[axis]!;
  const outer = shape.slice(0, axis).reduce((n, dim) => n * dim, 1);
  const at = (o: number, i: number, k: number): unknown => values[(o * length + i) * inner + k];
  const known = new Map<string, number>();
  const firsts: number[] = [];
  const indices = Array.from({ length }, (_, i) => {
    const key = Array.from({ length: outer * inner }, (__, n) =>
      String(at(Math.floor(n / inner), i, n % inner)),
    ).join();
    if (!known.has(key)) known.set(key, firsts.push(i) - 1);
    return known.get(key)!;
  });
  const out: unknown[] = [];
  for (let o = 0; o < outer; o++) for (const i of firsts) for (let k = 0; k < inner; k++) out.push(at(o, i, k));
  return [[out as unknown as tf.BackendValues, shape.with(axis, firsts.length), dtype], ints(indices)];
}

/** Arguments of all kinds of non-maximum suppression. */
function boxesOf(read: (name: string) => Numbers, attrs: Attributes): [Numbers, Numbers, number, number, number] {
  const { maxOutputSize, iouThreshold, scoreThreshold } = attrs as Record<string, number>;
  return [read('boxes'), read('scores'), maxOutputSize!, iouThreshold!, scoreThreshold!];
}

export const hostKernels: TensorTable = {
  NonMaxSuppressionV3: host('NonMaxSuppressionV3', (read, _, attrs) => {
    const { selectedIndices } = nonMaxSuppressionV3Impl(...boxesOf(read, attrs));
    return ints(selectedIndices);
  }),
  NonMaxSuppressionV4: host('NonMaxSuppressionV4', (read, _, attrs) => {
    const isPadded = attrs.padToMaxOutputSize === true;
    const { selectedIndices, validOutputs } = nonMaxSuppressionV4Impl(...boxesOf(read, attrs), isPadded);
    return [ints(selectedIndices), [Int32Array.of(validOutputs!), [], 'int32']];
  }),
  NonMaxSuppressionV5: host('NonMaxSuppressionV5', (read, _, attrs) => {
    const sigma = attrs.softNmsSigma as number;
    const { selectedIndices, selectedScores } = nonMaxSuppressionV5Impl(...boxesOf(read, attrs), sigma);
    return [ints(selectedIndices), floats(selectedScores!)];
  }),
  Multinomial: host('Multinomial', (read, { logits }, { numSamples, seed, normalized }) => {
    const [rows, events] = logits!.shape as [number, number];
    const values = read('logits');
    const probabilities = normalized === true ? values : softmaxRows(Float32Array.from(values), events);
    const drawn = multinomial(probabilities, [rows, events], numSamples as number, seed as number);
    return [Int32Array.from(drawn), [rows, numSamples as number], 'int32'];
  }),
  Unique: host('Unique', (read, { x }, { axis }) => {
    const along = tf.util.parseAxisParam((axis as number | null | undefined) ?? 0, x!.shape)[0]!;
    return unique(read('x'), x!, along);
  }),
  BroadcastArgs: host('BroadcastArgs', (read) => {
    return ints(tf.backend_util.assertAndGetBroadcastShape([...read('s0')], [...read('s1')]));
  }),
};
