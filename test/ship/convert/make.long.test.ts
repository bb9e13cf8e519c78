import { forInference } from '../../../src/graph/passes/inference/for-inference.ts';
import { freezeState } from '../../../src/graph/passes/constants/freeze-state.ts';
import { layersNetwork } from '../../../src/networks/layers/layers.ts';
import { logMelNetwork } from '../../../src/networks/sound/log-mel.ts';
import { melShape } from '../../../src/networks/sound/mel.ts';
import { buildModel } from '../../../src/networks/models/registry.ts';
import { contentOf } from '../../../src/networks/network.ts';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import { make } from '../../../src/ship/convert/make.ts';
import { CONVERT_DEFAULTS } from '../../../src/ship/convert/options.ts';
import { traceWithBatch } from '../../../src/trace/batch.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { predictionProgram } from '../../../src/train/evaluate/inference.ts';
import { numbers } from '../../support/graphs.ts';

const keywords = { rate: 16_000, length: 16_000, window: 480, hop: 320, mels: 40, low: 20, high: 4000 };

it('the front-end of sounds is stored in 16 bits beside 8 bits alone: activations of 16 bits tell the difference', async () => {
  useLazyBackend(evaluator);
  const inner = buildModel('mlp', { inputShape: melShape(keywords), classes: 3, seed: 1, options: { hidden: [4] } });
  const network = logMelNetwork(layersNetwork(inner), keywords);
  const traced = traceWithBatch((batchSize) => predictionProgram({ network, batchSize }));
  const graph = forInference(freezeState(traced, contentOf(network)), (part) => evaluator.runSync(part, new Map()));
  const x = { data: numbers(2 * keywords.length, 'x'), shape: [2, keywords.length, 1] };
  const sizeIn = async (precision: 'int8' | 'int16x8'): Promise<number> => {
    const options = { ...CONVERT_DEFAULTS, from: 'm.onnx', format: 'tflite', precision } as const;
    const source = { file: 'm.onnx', graph, metadata: new Map<string, string>() };
    return (await make(source, [{ x }], options)).bytes.length;
  };
  expect((await sizeIn('int16x8')) - (await sizeIn('int8'))).toBeGreaterThan(5000);
});
