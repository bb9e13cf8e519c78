import * as tf from '@tensorflow/tfjs-core';
import { modelVariables } from '../../../src/networks/models/info.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import type { LayersModel } from '../../../src/networks/models/registry.ts';
import { useCpu } from '../../support/cpu.ts';

beforeAll(useCpu);

const SIZES: Readonly<Record<string, Record<string, unknown>>> = {
  'text-transformer': { size: 8, heads: 2, depth: 2 },
  'embedding-bag': { size: 8, hidden: 4 },
  'text-cnn': { size: 4, filters: 8, kernel: 3, depth: 2 },
};

function modelOf(name: string, length: number, padding: number): LayersModel {
  const tokens = { vocabulary: 20, padding };
  return buildModel(name, { inputShape: [length], classes: 3, seed: 7, tokens, options: SIZES[name]! });
}

function answer(model: LayersModel, ids: readonly number[]): number[] {
  return [...(model.predict(tf.tensor2d([[...ids]], undefined, 'int32')) as tf.Tensor).dataSync()];
}

it.each(Object.keys(SIZES).flatMap((name) => [0, 9].map((padding) => [name, padding] as const)))(
  '%s answers the same however far a text is filled up, with padding %d',
  (name, padding) => {
    const [short, long] = [modelOf(name, 4, padding), modelOf(name, 9, padding)];
    const weights = new Map(modelVariables(long).map((one) => [one.name, one.variable]));
    for (const { name: own, variable } of modelVariables(short)) {
      const other = weights.get(own)!;
      // Biases that have left 0: what padding adds to is then seen.
      if (own.endsWith('bias')) other.assign(tf.fill(other.shape, 0.3));
      // Positions of the longer one that the shorter has too.
      variable.assign(
        tf.slice(
          other,
          variable.shape.map(() => 0),
          variable.shape,
        ),
      );
    }
    const ids = [3, 17, 5, 11];
    const expected = answer(short, ids);
    const filled = answer(long, [...ids, ...new Array<number>(5).fill(padding)]);
    filled.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    // A token more does change it.
    expect(answer(long, [...ids, 4, ...new Array<number>(4).fill(padding)])).not.toEqual(filled);
  },
);
