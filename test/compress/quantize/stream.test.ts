import { correctBias } from '../../../src/compress/quantize/bias.ts';
import { calibrationBatch } from '../../../src/compress/quantize/observe.ts';
import type { Feeds, CalibrationSamples } from '../../../src/compress/quantize/observe.ts';
import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { numbers } from '../../support/graphs.ts';

const session = sessionOptions('cpu', { threads: 1 });

/** A convolution with a bias and a ReLU, over pictures of so many pixels. */
function network(side: number): Graph {
  const b = new GraphBuilder();
  const weights = (shape: number[]): string =>
    b.constant(
      { dtype: 'float32', shape },
      numbers(
        shape.reduce((a, c) => a * c, 1),
        'w',
        shape.length,
      ),
    );
  const x = b.input('x', { dtype: 'float32', shape: ['batch', side, side, 3] });
  const conv = b.op('Conv2D', [x, weights([1, 1, 3, 4])], {
    ...{ strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] },
  });
  const y = b.op('Relu', [b.op('Add', [conv, weights([4])])]);
  b.output('y', b.op('Mean', [y], { axes: [1, 2], keepDims: false }));
  return b.build();
}

/** Batches that are made when they are asked for. */
function stream(batches: readonly number[], onBatch: () => void = () => undefined): CalibrationSamples {
  const all = numbers(batches.reduce((a, b) => a + b, 0) * 48, 'x', 0);
  return {
    length: batches.length,
    *[Symbol.iterator]() {
      let at = 0;
      for (const count of batches) {
        onBatch();
        yield { x: { data: all.slice(at * 48, (at + count) * 48), shape: [count, 4, 4, 3] } } satisfies Feeds;
        at += count;
      }
    },
  };
}

it('observes pictures of a few pixels 32 at once, and large ones fewer', () => {
  expect(calibrationBatch(network(4), 32)).toBe(32);
  // Three values of 512 · 512 · 4 numbers: 12.6 MB for a sample.
  expect(calibrationBatch(network(512), 32)).toBe(32);
  expect(calibrationBatch(network(1024), 32)).toBe(8);
  expect(calibrationBatch(network(8192), 32)).toBe(1);
});

it.each(['minmax', 'mse', 'percentile'] as const)(
  '%s finds the same scales whichever batches the samples come in, and keeps none of them',
  async (calibrator) => {
    const graph = network(4);
    let made = 0;
    const whole = await quantize(graph, [...stream([12])], { calibrator, open: openerOf(session) });
    const parts = await quantize(
      graph,
      stream([5, 5, 2], () => made++),
      { calibrator, open: openerOf(session) },
    );
    expect([...parts.result]).toEqual([...whole.result]);
    expect(made).toBe(3);
  },
);

it('corrects biases batch by batch', async () => {
  const graph = network(4);
  const { result } = await quantize(graph, stream([12]), { calibrator: 'minmax', open: openerOf(session) });
  const biases = async (samples: CalibrationSamples): Promise<number[]> => {
    const corrected = await correctBias(graph, result, samples, { open: openerOf(session) });
    return [...corrected.constants.values()]
      .filter(({ type }) => type.shape.length === 1)
      .flatMap(({ data }) => [...(data as Float32Array)]);
  };
  const [whole, parts] = [await biases(stream([12])), await biases(stream([5, 5, 2]))];
  expect(whole).toHaveLength(4);
  expect(whole).not.toEqual([...numbers(4, 'w', 1)]);
  whole.forEach((value, i) => expect(parts[i]).toBeCloseTo(value, 5));
});
