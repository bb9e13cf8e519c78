/**
 * What parts of quantization after training gain: power of the answers over that of their error in dB (SQNR) for the worst output and
 * for the worst index along its second axis (a class, a coordinate of boxes), answers that are right, and time of a sample on one
 * thread, of int8 ONNX files made with and without each part, on samples that calibrated nothing.
 * `npm run bench:pays-int8 -- [--only NAME,NAME] DATA MODEL.onnx [DATA MODEL.onnx ...]`; DATA: a recipe (.yaml) or inputs (.npz).
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { register } from 'node:module';
import { parseArgs } from 'node:util';
import type { Feeds } from '../src/compress/quantize/observe.ts';
import type { InferenceTensor } from '../src/runtime/inference.ts';
import type { PtqRecipe } from '../src/compress/quantize/prepare.ts';
import type { Swap } from './pays-swap.ts';
import { table } from './processes.ts';

interface Variant {
  readonly change?: Partial<PtqRecipe>;
  /** The file has weights of dense layers in int4, and all else in float32. */
  readonly isInt4?: boolean;
  readonly without?: readonly Swap[];
}
const PLAINLY = { scheme: 'int8', calibrator: 'mse', biasCorrection: true, dense: 'channel', kept: [] } as const;
const VARIANTS: Readonly<Record<string, Variant>> = {
  'as by default': {},
  'no bias correction': { change: { biasCorrection: false } },
  'dense: tensor': { change: { dense: 'tensor' } },
  minmax: { change: { calibrator: 'minmax' } },
  percentile: { change: { calibrator: 'percentile' } },
  'all ends in 8 bits (unlike)': {
    without: [
      {
        file: 'compress/quantize/unlike',
        after: 'export function unlikeEnds(graph, scales) {',
        insert: ' return { nodes: [], values: new Set() };',
      },
    ],
  },
  'rare events in 8 bits (tiny)': {
    without: [
      {
        file: 'compress/quantize/share',
        after: 'function isTiny({ op, outputs }, scales) {',
        insert: ' return false;',
      },
    ],
  },
  'ranges beyond saturation': {
    without: [
      {
        file: 'compress/quantize/saturation',
        after: 'export function saturationLimits(graph) {',
        insert: ' return new Map();',
      },
    ],
  },
  'columns stay columns': {
    without: [
      {
        file: 'formats/onnx/qdq/columns',
        after: 'export function withColumnsAsChannels(graph, quantization, keep) {',
        insert: ' return { graph, quantization };',
      },
    ],
  },
  int4: { isInt4: true },
  'int4 with scales by the largest weight alone': {
    isInt4: true,
    without: [{ file: 'formats/onnx/rewrite/int4', after: 'const CANDIDATES = [1', insert: '], LEFT_OUT = [1' }],
  },
};

/** Makes one file and measures it. The modules of src/ are loaded here, since a variant leaves parts of them out. */
async function measured(data: string, file: string, variant: string): Promise<string[]> {
  const { change = {}, without = [], isInt4 } = VARIANTS[variant]!;
  register(new URL('./pays-swap.js', import.meta.url), { data: without });
  const { openSource } = await import('../src/ship/convert/source.ts');
  const { samplesFor } = await import('../src/ship/convert/samples.ts');
  const { CONVERT_DEFAULTS } = await import('../src/ship/convert/options.ts');
  const { prepareInt8 } = await import('../src/compress/quantize/prepare.ts');
  const { exportQdq } = await import('../src/formats/onnx/qdq/qdq.ts');
  const { lowerReduced } = await import('../src/formats/onnx/rewrite/reduce.ts');
  const { encodeModel } = await import('../src/formats/onnx/protobuf.ts');
  const { lowerToOnnx } = await import('../src/formats/onnx/lower.ts');
  const { InferenceModel, openerOf } = await import('../src/runtime/inference.ts');
  const { sessionOptions } = await import('../src/runtime/onnxruntime/engine.ts');
  const { argMax } = await import('../src/base/numbers.ts');
  const session = sessionOptions('cpu', { threads: 1 });
  const source = await openSource(file, undefined);
  const options = { ...CONVERT_DEFAULTS, from: file, data, precision: 'int8' as const, samples: 256 };
  const samples = await samplesFor(source, options);
  const { calibration, check } = samples.folds[0] ?? samples;
  const { labels } = samples;
  const made = await prepareInt8(openerOf(session), source.graph, { ...PLAINLY, ...change }, calibration);
  const open = (bytes: Uint8Array) => new InferenceModel(bytes, file, session);
  const float = open(encodeModel(lowerToOnnx(source.graph)));
  const reduced = isInt4 ? lowerReduced(source.graph, 'int4').result : exportQdq(made.graph, made.quantization).result;
  const int8 = open(encodeModel(reduced));
  const sums: Record<string, { power: number; error: number }> = {};
  let [right, seen] = [0, 0];
  for (const batch of check) {
    const [wanted, given] = [await float.run(batch), await int8.run(batch)];
    for (const [name, { data: values, shape: sizes }] of Object.entries(given)) {
      const inner = sizes.slice(2).reduce((product, size) => product * size, 1);
      for (let i = 0; i < values.length; i++) {
        const truth = Number(wanted[name]!.data[i]);
        for (const key of [name, `${name}, part ${Math.floor(i / inner) % (sizes[1] ?? 1)}`]) {
          const own = (sums[key] ??= { power: 0, error: 0 });
          own.power += truth ** 2;
          own.error += (truth - Number(values[i])) ** 2;
        }
      }
    }
    const [{ data: answers, shape }] = Object.values(given) as [InferenceTensor];
    for (let row = 0; labels !== undefined && row < shape[0]!; row++, seen++) {
      if (argMax(answers, row * shape[1]!, shape[1]!) === labels[seen]) right++;
    }
  }
  const worst = (isPart: boolean): string => {
    const own = Object.entries(sums).filter(([key, { power }]) => key.includes(', part ') === isPart && power > 0);
    return Math.min(...own.map(([, { power, error }]) => 10 * Math.log10(power / error))).toFixed(2);
  };
  const one = firstSample(check[0]!);
  let fastest = Infinity;
  for (let i = 0; i < 300; i++) {
    const start = performance.now();
    await int8.run(one);
    fastest = Math.min(fastest, performance.now() - start);
  }
  const score = labels === undefined ? '-' : `${((100 * right) / seen).toFixed(2)} %`;
  return [file, variant, score, worst(false), worst(true), (1000 * fastest).toFixed(1)];
}

const firstSample = (feeds: Feeds): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(
      ([
        name,
        {
          data,
          shape: [count = 1, ...sample],
        },
      ]) => [name, { data: data.slice(0, data.length / count), shape: [1, ...sample] }],
    ),
  );

const [data, file, variant] = process.argv.slice(2);
if (process.send !== undefined) process.send(await measured(data!, file!, variant!));
else {
  const rows: string[][] = [];
  const { values: options, positionals: files } = parseArgs({
    options: { only: { type: 'string' } },
    allowPositionals: true,
  });
  const variants = options.only?.split(',') ?? Object.keys(VARIANTS);
  for (let at = 0; at < files.length; at += 2) {
    for (const name of variants) {
      const child = fork(import.meta.filename, [files[at]!, files[at + 1]!, name]);
      const [row] = (await once(child, 'message')) as [string[]];
      child.disconnect();
      console.error(row.join('  '));
      rows.push(row);
    }
  }
  console.log(table(['file', 'int8 file', 'right', 'SQNR, dB', 'of the worst part', 'µs'], rows));
}
