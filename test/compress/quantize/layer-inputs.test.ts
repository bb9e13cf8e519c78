import { LayerInputs } from '../../../src/compress/quantize/layer-inputs.ts';
import type { Feeds, CalibrationSamples } from '../../../src/compress/quantize/observe.ts';
import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { weightedNodes } from '../../../src/graph/quantization.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { openerOf } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/engine.ts';
import { numbers } from '../../support/graphs.ts';

const session = sessionOptions('cpu', { threads: 1 });
const WINDOW = { strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const PLAIN = { transposeA: false, transposeB: false };

/** Two residual blocks, an op between that stays in float, and two dense layers, of which neither ends in an activation. */
function network(): Graph {
  const b = new GraphBuilder();
  const stored = (shape: readonly number[]): string => {
    const count = shape.reduce((product, dim) => product * dim, 1);
    return b.constant(
      { dtype: 'float32', shape },
      numbers(count, 'w', count).map((value) => 0.3 * value),
    );
  };
  const conv = (x: string, channels: number, layer: string): string =>
    b.op('Add', [b.op('Conv2D', [x, stored([3, 3, channels, 4])], WINDOW, layer), stored([4])], {}, layer);
  const dense = (x: string, units: number, layer: string): string =>
    b.op('Add', [b.op('BatchMatMul', [x, stored([4, units])], PLAIN, layer), stored([units])], {}, layer);
  let x = b.op('Relu', [conv(b.input('x', { dtype: 'float32', shape: ['batch', 5, 5, 2] }), 2, 'stem')]);
  for (const layer of ['one', 'two']) {
    const inner = b.op('Relu', [conv(x, 4, `${layer}a`)]);
    x = b.op('Swish', [b.op('Add', [conv(inner, 4, `${layer}b`), x])]);
  }
  const mean = b.op('Mean', [x], { axes: [1, 2], keepDims: false });
  b.output('logits', dense(dense(mean, 4, 'hidden'), 3, 'last'));
  return b.build();
}

describe('inputs of layers one after another', () => {
  it('are those of the whole model before each, and a layer starts at what those before it were fed', async () => {
    const graph = network();
    const batches = [8, 8, 3].map((size, i) => ({ x: { data: numbers(size * 50, 'x', i), shape: [size, 5, 5, 2] } }));
    let read = 0;
    const samples: CalibrationSamples = {
      length: batches.length,
      *[Symbol.iterator](): Generator<Feeds, void, undefined> {
        read++;
        yield* batches;
      },
    };
    const { result: quantization } = await quantize(graph, samples, { calibrator: 'minmax', open: openerOf(session) });
    const values = weightedNodes(graph).map(({ inputs }) => inputs[0]!);
    const all = async (mostBytes?: number): Promise<{ readonly inputs: number[][]; readonly read: number }> => {
      read = 0;
      const given = new LayerInputs(graph, values, quantization, samples, { open: openerOf(session) }, mostBytes);
      const inputs: number[][] = [];
      for (let i = 0; i < values.length; i++) {
        const rows: number[] = [];
        const { batches, ends } = given.next(graph);
        const { scales: [scale] = [1], zeroPoints: [zero] = [0] } = ends.get(values[i]!) ?? {};
        // Integers stand for float32 numbers, as DequantizeLinear gives them.
        for await (const { data } of batches)
          rows.push(...Float32Array.from(data as Int8Array | Float32Array, (step) => (step - zero!) * scale!));
        inputs.push(rows);
      }
      return { inputs, read };
    };
    const [kept, anew, some] = [await all(), await all(0), await all(2000)];
    expect(kept.inputs).toEqual(anew.inputs);
    expect(some.inputs).toEqual(anew.inputs);
    expect(kept.inputs.every((rows) => rows.length > 0 && rows.some((value) => value !== 0))).toBe(true);
    // What follows the mean begins at the samples: as the output of a part a mean is float.
    expect([kept.read, anew.read]).toEqual([3, 7]);
    expect(some.read).toBeGreaterThan(3);
  });
});
