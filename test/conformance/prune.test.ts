import { RandomStream } from '../../src/base/random.ts';
import { pruneChannels } from '../../src/compress/prune/prune.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { inferenceGraph } from '../../src/ship/export.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { randomWeights, small } from '../compress/prune/models.ts';
import type { Case } from './python.ts';
import { checkWithPython } from './python.ts';

beforeAll(() => useLazyBackend(evaluator));

const N = 5;

async function pruned(name: string, amount: number): Promise<Case> {
  const whole = small(name);
  const options = { amount, target: 'macs', multipleOf: 4 } as const;
  const { result } = await pruneChannels(layersNetwork(whole), randomWeights(whole), options);
  expect(result.after.macs).toBeLessThan((1 - 0.6 * amount) * result.before.macs);
  const graph = inferenceGraph(result, []);
  const bytes = encodeModel(lowerToOnnx(graph));
  const shape = [N, ...whole.inputs[0]!.shape.slice(1).map(Number)];
  const random = new RandomStream('pruned', name);
  const data = Float32Array.from({ length: shape.reduce((total, of) => total * of, 1) }, () => random.normal());
  const session = new InferenceModel(bytes, name, { logSeverityLevel: 3 });
  const { logits } = await session.run({ input: { data, shape } });
  session.dispose();
  const weights = [...result.weights].map(([weight, { type, data: values }]) => {
    return [weight, { dtype: type.dtype, shape: type.shape.map(Number), data: values }] as const;
  });
  const inputs = { ...Object.fromEntries(weights), input: { dtype: 'float32' as const, shape, data } };
  const outputs = { logits: { dtype: 'float32' as const, shape: logits!.shape, data: logits!.data } };
  return { name: `${name} without ${100 * amount} %`, bytes, inputs, outputs, tolerance: 1e-5 };
}

it('files of pruned models are what PyTorch computes from the weights that are left', async () => {
  const cases = [];
  for (const name of ['ds-cnn', 'resnet']) for (const amount of [0.25, 0.5]) cases.push(await pruned(name, amount));
  const verdicts = checkWithPython('prune_check.py', '.onnx', cases);
  expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]);
  expect(verdicts).toHaveLength(4);

  const [good] = cases;
  const { data } = good!.outputs['logits']!;
  const wrong = { dtype: 'float32' as const, shape: [N, 3], data: (data as Float32Array).map((value) => value + 0.01) };
  const [verdict] = checkWithPython('prune_check.py', '.onnx', [{ ...good!, outputs: { logits: wrong } }]);
  expect(verdict!.problem).toMatch(/logits differ/);
});
