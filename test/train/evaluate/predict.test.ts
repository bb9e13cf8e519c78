import { RandomStream } from '../../../src/base/random.ts';
import { samplesAtOnce } from '../../../src/data/batches/at-once.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import type { Engine, State } from '../../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine, evaluator } from '../../../src/runtime/onnxruntime/engine.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { Evaluator } from '../../../src/train/evaluate/evaluate.ts';
import { evaluationProgram } from '../../../src/train/evaluate/inference.ts';
import { classification } from '../../../src/answers/classes/task.ts';
import { predictions } from '../../../src/train/evaluate/predict.ts';

beforeAll(() => useLazyBackend(evaluator));

const onnxruntime = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });
const make = () => layersNetwork(buildModel('ds-cnn', { inputShape: [16, 16, 1], classes: 3, seed: 1 }));

it('predicts in parts what it predicts at once, layers too', async () => {
  const network = make();
  const random = new RandomStream('predict');
  const x = Float32Array.from({ length: 30 * 256 }, () => random.normal());
  const sizes: number[] = [];
  const engine: Engine = {
    ...{ name: 'onnxruntime', device: 'cpu' },
    compile: (program, options) => {
      const size = program.feeds['x']!.shape[0] as number;
      sizes.push(size);
      return onnxruntime.compile(program, options).then((step) => Object.assign(step, { memoryBytes: size }));
    },
  };
  const weights: State = new Map();
  const predicting = { network, weights, features: [Object.keys(network.layers)[0]!] };
  const whole = await predictions(engine, predicting, { x, n: 30 });
  expect(sizes).toEqual([30]);
  const parts = await predictions(engine, predicting, { x, n: 30, most: 10 });
  expect(sizes.slice(1)).toEqual([30, 15, 8, 7]);
  expect(Object.keys(parts)).toEqual(Object.keys(whole));
  for (const [name, values] of Object.entries(whole)) {
    expect(parts[name]).toHaveLength(values.length);
    expect(values.every((value, i) => Math.abs(value - parts[name]![i]!) < 1e-5)).toBe(true);
  }
});

it('an evaluation takes fewer samples at once where they would take more than a gigabyte', async () => {
  const network = make();
  const large = new Evaluator({
    engine: {
      ...{ name: 'onnxruntime', device: 'cpu' },
      compile: async (program, options) => {
        const size = program.feeds['x']!.shape[0] as number;
        const step = await onnxruntime.compile(program, options);
        return Object.assign(step, { memoryBytes: size * 2 ** 24 });
      },
    },
    program: (batchSize) => evaluationProgram({ network, task: classification(3), batchSize }),
    task: classification(3),
  });
  expect(await large.atOnce(256)).toBe(64);
  await large.dispose();
});

it('asks a file about as many samples at once as are 32 MB', () => {
  expect(samplesAtOnce([28, 28, 1], 512)).toBe(512);
  expect(samplesAtOnce([32, 32, 3], 250)).toBe(250);
  expect(samplesAtOnce([224, 224, 3], 250)).toBe(55);
  expect(samplesAtOnce([5000, 5000, 3], 250)).toBe(1);
});
