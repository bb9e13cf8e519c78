import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bytesOf } from '../src/base/bytes.ts';
import type { Precision } from '../src/formats/tflite/export.ts';
import { modelVariables } from '../src/networks/models/info.ts';
import type { Net, Pictures } from './tflite-nets.ts';

export const PRECISIONS = ['float32', 'float16', 'dynamic', 'integer'] as const satisfies readonly Precision[];

export interface Measured {
  readonly bytes: number;
  readonly operators: number;
  /** Share of the held-out samples that the file gives its class to; absent where the weights are not trained. */
  readonly accuracy?: number;
  /** Share of the held-out samples that the file gives the float model's class to. */
  readonly agreement: number;
  /** Median of one inference on one thread, where it was timed. */
  readonly ms?: number;
}

export interface Pair {
  readonly ours: Measured;
  readonly theirs: Measured;
  /** The converter's file, in the folder of the conversion. */
  readonly file: string;
  /** Samples that our file alone has right, and theirs alone: its class or, without training, that of the float model. */
  readonly onlyOurs: number;
  readonly onlyTheirs: number;
  /** Median over the rounds of our time divided by theirs. */
  readonly latencyRatio?: number;
}

export type Comparison = { readonly name: string } & Readonly<Record<Precision, Pair>>;

/**
 * Verdict of ours being right on fewer samples, by more than three standard errors: of two equally good files one of 20 comparisons would differ
 * by two. Of samples on which just one of two files is right, as many would be each one's if they were equally good (McNemar 1947).
 */
export function isLessAccurate({ onlyOurs, onlyTheirs }: Pair): boolean {
  return onlyTheirs - onlyOurs > 3 * Math.sqrt(onlyTheirs + onlyOurs);
}

/**
 * What test/conformance/tflite_convert.py needs of a net: its layers and weights, from which it makes the Keras model, our
 * files, and samples.
 */
export function writeConversion(folder: string, net: Net, rounds = 0): object {
  const { name, model, weights, inputShape, files, calibration, held, trained } = net;
  let written = 0;
  const write = (data: Float32Array | Int32Array | Uint8Array, extension = 'bin'): string => {
    const file = `${name}-${written++}.${extension}`;
    writeFileSync(path.join(folder, file), bytesOf(data));
    return file;
  };
  const samples = ({ x, labels }: Pictures): object => ({
    x: { dtype: 'float32', shape: [labels.length, ...inputShape], file: write(x) },
    labels: { dtype: 'int32', shape: [labels.length], file: write(labels) },
  });
  const variables = modelVariables(model).map(({ name: weight }) => weight);
  const { config } = JSON.parse(model.toJSON() as string) as { config: { layers: { config: { name: string } }[] } };
  return {
    ...{ name, rounds, trained },
    ours: Object.fromEntries(PRECISIONS.map((precision) => [precision, write(files[precision], 'tflite')])),
    layers: config.layers.map((layer) => ({
      ...layer,
      weights: variables
        .filter((weight) => weight.startsWith(`${layer.config.name}/`))
        .map((weight) => weights.get(weight)!)
        .map(({ type, data }) => ({ ...type, file: write(data as Float32Array) })),
    })),
    calibration: samples(calibration),
    held: samples(held),
  };
}

export function readFileOf(folder: string, { file }: Pair): Uint8Array {
  return new Uint8Array(readFileSync(path.join(folder, file)));
}
