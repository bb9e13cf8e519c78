import { isDeepStrictEqual } from 'node:util';
import { adaround } from '../../../src/compress/quantize/adaround/adaround.ts';
import type { AdaRoundState } from '../../../src/compress/quantize/adaround/adaround.ts';
import { blocksOf } from '../../../src/compress/quantize/adaround/blocks.ts';
import { nearestSteps, weightsOf } from '../../../src/compress/quantize/adaround/soft.ts';
import { withFloatLayers } from '../../../src/compress/quantize/kept.ts';
import { quantize } from '../../../src/compress/quantize/ptq.ts';
import { rounded, withConstants } from '../../../src/compress/quantize/rounding.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { tensorData } from '../../../src/formats/onnx/model.ts';
import { exportQdq } from '../../../src/formats/onnx/qdq/qdq.ts';
import { exportTflite } from '../../../src/formats/tflite/export.ts';
import { GraphBuilder } from '../../../src/graph/builder.ts';
import { symmetric } from '../../../src/graph/quantization.ts';
import type { Quantization } from '../../../src/graph/quantization.ts';
import type { Graph } from '../../../src/graph/types.ts';
import { layersNetwork } from '../../../src/networks/layers.ts';
import { inferenceGraph } from '../../../src/ship/export.ts';
import { evaluator } from '../../../src/runtime/evaluator.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { openTflite } from '../../../src/runtime/litert.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../../../src/runtime/onnxruntime.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { numbers } from '../../support/graphs.ts';
import { randomWeights, small } from '../prune/models.ts';

beforeAll(() => useLazyBackend(evaluator));

const session = sessionOptions('cpu', { threads: 1 });
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const options = { engine, session, iterations: 200, seed: 1 };

/** The same scales, as coarse as those of 4 bits. */
function coarse(graph: Graph, quantization: Quantization): Quantization {
  return new Map(
    [...quantization].map(([name, q]) =>
      graph.constants.has(name) ? [name, { ...q, scales: q.scales.map((scale) => 16 * scale) }] : [name, q],
    ),
  );
}

async function logitsOf(bytes: Uint8Array, feeds: Record<string, { data: Float32Array; shape: number[] }>) {
  const model = new InferenceModel(bytes, 'test.onnx', session);
  const { logits } = await model.run(feeds);
  model.dispose();
  return (logits!.data as Float32Array).slice();
}

const squared = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);

describe('of a single dense layer', () => {
  const [inputs, outputs, count] = [10, 3, 64];
  // Inputs that go together: what one weight is rounded up by, another can take back.
  const common = numbers(count, 'common');
  const x = numbers(count * inputs, 'x').map((value, i) => 0.1 * value + common[Math.floor(i / inputs)]!);
  const w = numbers(inputs * outputs, 'w');
  const b = new GraphBuilder();
  const product = b.op('BatchMatMul', [
    b.input('x', { dtype: 'float32', shape: ['batch', inputs] }),
    b.constant({ dtype: 'float32', shape: [inputs, outputs] }, w, 'w'),
  ], { transposeA: false, transposeB: false }); // prettier-ignore
  b.output('logits', b.op('Relu', [product], {}, 'dense'));
  const graph = b.build();
  const scale = symmetric([10], 'int8');
  // 4 bits or so: a step is half a standard deviation of the weights.
  const quantization = new Map([['w', { ...scale, scales: [0.5] }]]);
  const samples = [{ x: { data: x, shape: [count, inputs] } }];

  const errorOf = (weights: ArrayLike<number>, output: number): number => {
    let sum = 0;
    for (let n = 0; n < count; n++) {
      let [a, e] = [0, 0];
      for (let i = 0; i < inputs; i++) {
        a += x[n * inputs + i]! * weights[i]!;
        e += x[n * inputs + i]! * w[i * outputs + output]!;
      }
      sum += (Math.max(0, a) - Math.max(0, e)) ** 2;
    }
    return sum / count / outputs;
  };
  const column = (values: ArrayLike<number>, output: number): number[] =>
    Array.from({ length: inputs }, (_, i) => values[i * outputs + output]!);
  const total = (values: ArrayLike<number>): number =>
    [0, 1, 2].reduce((sum, output) => sum + errorOf(column(values, output), output), 0);

  /** The best of all 2^10 roundings of each output, tried one by one. */
  const best = [0, 1, 2].reduce((sum, output) => {
    const floor = column(w, output).map((value) => Math.floor(value / 0.5));
    const errors = Array.from({ length: 2 ** inputs }, (_, bits) =>
      errorOf(
        floor.map((steps, i) => 0.5 * (steps + ((bits >> i) & 1))),
        output,
      ),
    );
    return sum + Math.min(...errors);
  }, 0);

  it('comes near the best of all roundings, far below the nearest', async () => {
    const { result, layers } = await adaround(graph, quantization, samples, { ...options, iterations: 1000 });
    const after = result.constants.get('w')!.data as Float32Array;
    const nearest = total(rounded(w, [inputs, outputs], quantization.get('w')!));
    const found = total(after);
    expect(best).toBeLessThan(0.6 * nearest);
    expect(found).toBeLessThan(1.4 * best);
    // What it reports is what it found, and each weight is a step above or below.
    expect(layers).toHaveLength(1);
    expect(layers[0]!.nearest / nearest).toBeCloseTo(1, 4);
    expect(layers[0]!.adaptive / found).toBeCloseTo(1, 4);
    after.forEach((value, i) => expect([Math.floor(2 * w[i]!) / 2, Math.ceil(2 * w[i]!) / 2]).toContain(value));
  });

  it('finds the same where the batch is not the first axis', async () => {
    // [batch, steps, in], turned to [steps, batch, in] as recurrent layers have it, and with the batch first.
    const steps = 4;
    const series = numbers(count * steps * inputs, 'series');
    const found = async (isTurned: boolean) => {
      const g = new GraphBuilder();
      const fed = g.input('x', { dtype: 'float32', shape: ['batch', steps, inputs] });
      const lying = isTurned ? g.op('Transpose', [fed], { perm: [1, 0, 2] }) : fed;
      const weights = g.constant({ dtype: 'float32', shape: [1, inputs, outputs] }, w, 'w');
      const product = g.op('BatchMatMul', [lying, weights], { transposeA: false, transposeB: false });
      g.output('y', isTurned ? g.op('Transpose', [product], { perm: [1, 0, 2] }) : product);
      const of = new Map([['w', { ...scale, scales: [0.5] }]]);
      // Batches of different sizes, of which the second is taken in part.
      const parts = [0, 40].map((from, i) => ({
        x: {
          data: series.subarray(from * steps * inputs, [40, count][i]! * steps * inputs),
          shape: [[40, count - 40][i]!, steps, inputs],
        },
      }));
      // What the search has learned on the way tells which samples it saw in which step; the steps that it ends with hardly do.
      const learned: number[] = [];
      const { result, layers } = await adaround(g.build(), of, parts, {
        ...{ ...options, iterations: 50 },
        onStep: async ({ iteration, state }) => {
          if (iteration === 0) return;
          for (const { data } of (await state()).variables.values()) learned.push(...(data as Float32Array));
        },
      });
      expect(layers).toHaveLength(1);
      expect(layers[0]!.nearest).toBeGreaterThan(0);
      return { steps: result.constants.get('w')!.data as Float32Array, learned };
    };
    const [turned, plain] = [await found(true), await found(false)];
    expect(turned.steps).toEqual(plain.steps);
    expect(turned.learned.length).toBeGreaterThan(inputs * outputs);
    turned.learned.forEach((value, i) => expect(value).toBeCloseTo(plain.learned[i]!, 4));
  });

  it('leaves weights that are zero at zero, and a layer that is kept in float alone', async () => {
    const pruned = withConstants(graph, new Map([['w', w.map((value, i) => (i % 2 === 0 ? 0 : value))]]));
    const { result } = await adaround(pruned, quantization, samples, options);
    const after = result.constants.get('w')!.data as Float32Array;
    expect(after.filter((value, i) => i % 2 === 0 && value !== 0)).toHaveLength(0);
    const layer = blocksOf(graph, quantization)[0]!.layer;
    const kept = await adaround(graph, quantization, samples, { ...options, keepFloat: (name) => name === layer });
    expect(kept.result.constants.get('w')!.data).toEqual(w);
    expect(kept.layers).toEqual([]);
  });
});

describe('of a network', () => {
  const model = small('ds-cnn');
  const size = model.inputs[0]!.shape.slice(1).map(Number);
  const each = size.reduce((a, b) => a * b, 1);
  const batches = [0, 1].map((i) => ({ input: { data: numbers(32 * each, 'in', i), shape: [32, ...size] } }));
  const held = { input: { data: numbers(64 * each, 'held'), shape: [64, ...size] } };
  let graph: Graph;
  let fine: Quantization;
  let float: Float32Array;
  beforeAll(async () => {
    graph = inferenceGraph({ network: layersNetwork(model), weights: randomWeights(model) }, []);
    fine = (await quantize(graph, batches, { calibrator: 'mse', session })).result;
    float = await logitsOf(encodeModel(lowerToOnnx(graph)), held);
  });
  const int8Error = async (of: Graph, quantization: Quantization): Promise<number> =>
    squared(await logitsOf(encodeModel(exportQdq(of, quantization).result), held), float);

  it('beats the nearest steps at 4 bits, on samples that it has not seen', async () => {
    const quantization = coarse(graph, fine);
    const { result, layers } = await adaround(graph, quantization, batches, options);
    expect(layers.length).toBe(blocksOf(graph, quantization).length);
    for (const { nearest, adaptive } of layers) expect(adaptive).toBeLessThanOrEqual(nearest);
    expect(await int8Error(result, quantization)).toBeLessThan(0.85 * (await int8Error(graph, quantization)));
  }, 120_000);

  it('is no worse at 8 bits', async () => {
    const { result } = await adaround(graph, fine, batches, options);
    expect(await int8Error(result, fine)).toBeLessThan(1.05 * (await int8Error(graph, fine)));
  }, 120_000);

  it('goes on from where it was stopped to the same bits, and both writers store the steps that were found', async () => {
    const short = { ...options, iterations: 30 };
    const whole = await adaround(graph, fine, batches, short);
    let calls = 0;
    let saved: AdaRoundState | undefined;
    const stopped = adaround(graph, fine, batches, {
      ...short,
      onStep: async ({ state }) => {
        if (++calls === 45) {
          saved = await state();
          throw new Error('stopped');
        }
      },
    });
    await expect(stopped).rejects.toThrow('stopped');
    expect([saved!.layers.length, saved!.iteration]).toEqual([1, 14]);
    const resumed = await adaround(graph, fine, batches, { ...short, resume: saved });
    expect(resumed.layers).toEqual(whole.layers);
    expect(resumed.result.constants).toEqual(whole.result.constants);

    const onnx = exportQdq(whole.result, fine).result;
    const stored = onnx.graph.initializers.filter(({ dtype, dims }) => dtype === 'int8' && dims.length > 1);
    const blocks = blocksOf(whole.result, fine);
    expect(stored).toHaveLength(blocks.length);
    for (const { type, scales, values } of blocks) {
      const steps = nearestSteps(values, type.shape as number[], scales);
      expect(values).toEqual(weightsOf(steps, type.shape as number[], scales));
      const sorted = (data: ArrayLike<number>): number[] =>
        Array.from(data)
          .filter((step) => step !== 0)
          .sort((a, b) => a - b);
      // Files lay weights out otherwise: the integers are the same ones, several times and beside zeros where columns are read as channels.
      const same = stored.map((tensor) => sorted(tensorData(tensor) as Int8Array));
      const times = [1, 2, 4, 8].map((count) => sorted(steps).flatMap((step) => Array<number>(count).fill(step)));
      expect(same.some((one) => times.some((many) => isDeepStrictEqual(one, many)))).toBe(true);
    }
    const one = { input: { data: held.input.data.slice(0, each), shape: [1, ...size] } };
    const { bytes } = exportTflite(whole.result, { precision: 'integer', quantization: fine });
    const tflite = await openTflite(bytes);
    const actual = (await tflite.run({ input: one.input.data }))['logits'] as Float32Array;
    tflite.dispose();
    const step = fine.get([...graph.outputs.values()][0]!)!.scales[0]!;
    const expected = await logitsOf(encodeModel(onnx), one);
    actual.forEach((value, i) => expect(Math.abs(value - expected[i]!) / step).toBeLessThan(3));
  }, 120_000);

  it('gives layers that stay in float the weights and biases that they had', async () => {
    const { result } = await adaround(graph, coarse(graph, fine), batches, { ...options, iterations: 20 });
    const [first, second] = blocksOf(graph, fine);
    const mixed = withFloatLayers(result, graph, (layer) => layer === first!.layer);
    expect(mixed.constants.get(first!.weights)).toEqual(graph.constants.get(first!.weights));
    expect(mixed.constants.get(second!.weights)).toEqual(result.constants.get(second!.weights));
    expect(mixed.constants.get(second!.weights)).not.toEqual(graph.constants.get(second!.weights));
  }, 120_000);
});
