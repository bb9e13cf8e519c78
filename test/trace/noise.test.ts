import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { install } from '../../src/trace/install.ts';
import { uniformNumbers, withRandomSource } from '../../src/trace/random.ts';
import { traceFunction } from '../../src/trace/trace.ts';
import { useCpu } from '../support/cpu.ts';
import { float32 } from '../support/graphs.ts';

beforeAll(async () => {
  install();
  await useCpu();
});

const LAYERS: readonly (readonly [string, () => tfl.layers.Layer, number])[] = [
  ['dropout', () => tfl.layers.dropout({ rate: 0.3 }), 1],
  ['gaussian noise', () => tfl.layers.gaussianNoise({ stddev: 0.5 }), 2],
  ['gaussian dropout', () => tfl.layers.gaussianDropout({ rate: 0.3 }), 2],
  ['alpha dropout', () => tfl.layers.alphaDropout({ rate: 0.3 }), 1],
];

describe('noise layers', () => {
  it.each(LAYERS)('%s feeds its noise when traced in training, and has none otherwise', (_, make, feeds) => {
    const layer = make();
    const inputs = (training: boolean): string[] => [
      ...traceFunction(({ x }) => ({ y: layer.apply(x!, { training }) as tf.Tensor }), {
        x: float32(4, 6),
      }).inputs.keys(),
    ];
    expect(inputs(true)).toEqual(['x', ...Array.from({ length: feeds }, (__, i) => `random/${i}`)]);
    expect(inputs(false)).toEqual(['x']);
  });

  it.each(LAYERS)('%s keeps the mean of its input, whatever the backend', (name, make) => {
    const mean = tf.tidy(() =>
      withRandomSource(
        (feed, shape) =>
          uniformNumbers(
            shape.reduce((n, dim) => n * dim, 1),
            name,
            feed,
          ),
        () => tf.mean(make().apply(tf.fill([100, 100], 0.5), { training: true }) as tf.Tensor).dataSync()[0],
      ),
    );
    // Alpha dropout keeps the mean of inputs with mean 0 and deviation 1 alone.
    if (name !== 'alpha dropout') expect(mean).toBeCloseTo(0.5, 1);
  });

  it('dropout scales what it keeps and drops its share', () => {
    const values = tf.tidy(() =>
      (tfl.layers.dropout({ rate: 0.25 }).apply(tf.ones([100, 100]), { training: true }) as tf.Tensor).dataSync(),
    );
    const dropped = values.filter((x) => x === 0).length / values.length;
    expect(dropped).toBeGreaterThan(0.23);
    expect(dropped).toBeLessThan(0.27);
    expect(Math.max(...values)).toBeCloseTo(1 / 0.75, 5);
  });
});
