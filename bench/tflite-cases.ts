import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { bytesOf } from '../src/base/bytes.ts';
import { exportTflite } from '../src/formats/tflite/export.ts';
import type { Precision } from '../src/formats/tflite/export.ts';
import type { Quantization } from '../src/graph/quantization.ts';
import { withBatch } from '../src/graph/shapes.ts';
import type { Graph, Shape, TensorData } from '../src/graph/types.ts';

/** A model to be converted by Google's converter too. */
export interface ConversionCase {
  readonly name: string;
  /** From `x` to `logits`: as it was traced, and as every export prepares it. */
  readonly bare: Graph;
  readonly prepared: Graph;
  /** Values of `x` for one sample each; the converter calibrates with them. */
  readonly samples: readonly TensorData[];
  /** Without it, no integer file is made. */
  readonly quantization?: Quantization | undefined;
  /** Alternated timings; none by default. */
  readonly rounds?: number;
}

export interface Measured {
  readonly bytes: number;
  readonly operators: number;
  /** Mean difference of a logit from TensorFlow's own, relative to the largest. */
  readonly error: number;
  /** Share of samples to which the file gives the class that the float model gives them. */
  readonly agreement: number;
  /** Median of one inference on one thread, where it was timed. */
  readonly ms?: number;
}

export interface Pair {
  readonly ours: Measured;
  readonly theirs: Measured;
  /** Median over the rounds of our time divided by theirs. */
  readonly latencyRatio?: number;
}

export type Comparison = { readonly name: string } & Readonly<Partial<Record<Precision, Pair>>>;

/** What test/conformance/tflite_convert.py needs of a case: the bare graph, constants and samples in files, our exports. */
export function writeConversion(folder: string, conversion: ConversionCase): object {
  const { name, bare, prepared, samples, quantization, rounds = 0 } = conversion;
  let files = 0;
  const write = (data: TensorData | Uint8Array, extension = 'bin'): string => {
    const file = `${name}-${files++}.${extension}`;
    writeFileSync(path.join(folder, file), bytesOf(data));
    return file;
  };
  const shape = withBatch(prepared.inputs.get('x')!.shape, 1);
  const all = new Float32Array(samples.length * samples[0]!.length);
  samples.forEach((x, i) => all.set(x as Float32Array, i * x.length));
  const fixed = (value: unknown): unknown => (Array.isArray(value) ? withBatch(value as Shape, 1) : value);
  const ours: Partial<Record<Precision, string>> = {};
  for (const precision of ['float32', 'float16', 'dynamic'] as const)
    ours[precision] = write(exportTflite(prepared, { precision }).bytes, 'tflite');
  if (quantization !== undefined)
    ours.integer = write(exportTflite(prepared, { precision: 'integer', quantization }).bytes, 'tflite');
  return {
    ...{ name, ours, rounds },
    input: { shape },
    output: bare.outputs.get('logits'),
    samples: { dtype: 'float32', shape: [samples.length, ...shape.slice(1)], file: write(all) },
    constants: [...bare.constants].map(([label, { type, data }]) => ({
      ...{ name: label, dtype: type.dtype, shape: type.shape, file: write(data) },
    })),
    nodes: bare.nodes.map(({ op, inputs, attrs, outputs }) => ({
      ...{ op, inputs, output: outputs[0] },
      attrs: Object.fromEntries(Object.entries(attrs).map(([key, value]) => [key, fixed(value)])),
      shape: withBatch(bare.types.get(outputs[0]!)!.shape, 1),
    })),
  };
}
