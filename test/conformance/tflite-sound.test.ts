import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { quantize } from '../../src/compress/quantize/ptq.ts';
import { RandomStream } from '../../src/base/random.ts';
import { clip } from '../../src/data/sounds/clip.ts';
import { parseWav } from '../../src/data/sounds/wav.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { forInference } from '../../src/graph/passes/inference/for-inference.ts';
import { freezeState } from '../../src/graph/passes/constants/freeze-state.ts';
import type { Graph } from '../../src/graph/types.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { isFrontEnd } from '../../src/graph/front-end.ts';
import { logMelNetwork } from '../../src/networks/sound/log-mel.ts';
import { melShape } from '../../src/networks/sound/mel.ts';
import { contentOf } from '../../src/networks/network.ts';
import { InferenceModel, openerOf } from '../../src/runtime/inference.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { traceWithBatch } from '../../src/trace/batch.ts';
import { interpreterOn } from '../../src/trace/interpret/evaluator.ts';
import { predictionProgram } from '../../src/train/evaluate/inference.ts';
import { trainedModel } from '../formats/tflite/models.ts';
import { useCpu } from '../support/cpu.ts';
import type { Case } from './python.ts';
import { checkWithPython } from './python.ts';

beforeAll(useCpu);

const keywords = { rate: 16_000, length: 16_000, window: 480, hop: 320, mels: 40, low: 20, high: 4000 };
const [COUNT, CLASSES] = [48, 12];

const MODELS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'ds-cnn': { width: 0.6, strides: [2, 1, 2] },
  'bc-resnet': {},
};

/** Spoken words of `node scripts/keywords.mjs` where they are there, else gliding tones in noise; from all classes by turns. */
function sounds(count: number): Float32Array {
  const out = new Float32Array(count * keywords.length);
  const root = path.join(process.cwd(), 'datasets/keywords/test');
  const random = new RandomStream('sounds');
  for (let i = 0; i < count; i++) {
    out.set(existsSync(root) ? spoken(root, i) : glide(random), i * keywords.length);
  }
  return out;
}

function spoken(root: string, i: number): Float32Array {
  const classes = readdirSync(root).sort();
  const folder = path.join(root, classes[i % classes.length]!);
  const file = path.join(folder, readdirSync(folder).sort()[Math.floor(i / classes.length)]!);
  return clip(parseWav(readFileSync(file), file), { rate: keywords.rate, seconds: 1 });
}

function glide(random: RandomStream): Float32Array {
  const [from, by, loud] = [100 + 2000 * random.uniform(), 2000 * random.uniform(), random.uniform()];
  return Float32Array.from({ length: keywords.length }, (_, i) => {
    const t = i / keywords.rate;
    return loud * (0.6 * Math.sin(2 * Math.PI * (from + by * t) * t) + 0.1 * random.normal());
  });
}

function graphOf(name: string): Graph {
  const model = trainedModel(name, { inputShape: melShape(keywords), options: MODELS[name]!, classes: CLASSES });
  const network = logMelNetwork(layersNetwork(model), keywords);
  const traced = traceWithBatch((batchSize) => predictionProgram({ network, batchSize }));
  return forInference(freezeState(traced, contentOf(network)), (constants) =>
    interpreterOn('cpu').runSync(constants, new Map()),
  );
}

it('the official interpreter hears in raw samples what ONNX Runtime and our own run hear', async () => {
  const session = sessionOptions('cpu', { threads: 1 });
  const [x, shape] = [sounds(COUNT), [COUNT, keywords.length, 1]];
  const cases: Case[] = [];
  for (const name of Object.keys(MODELS)) {
    const graph = graphOf(name);
    const runner = new InferenceModel(encodeModel(lowerToOnnx(graph)), 'the graph', session);
    const logits = (await runner.run({ x: { data: x, shape } }))['logits']!.data as Float32Array;
    runner.dispose();
    const { result: quantization } = await quantize(graph, [{ x: { data: x, shape } }], {
      ...{ calibrator: 'minmax', open: openerOf(session), dense: 'tensor' },
    });
    const float = exportTflite(graph, { batch: COUNT }).bytes;
    const integer = exportTflite(graph, {
      precision: 'integer',
      quantization,
      ...{ keepFloat: isFrontEnd, storeFixed: isFrontEnd },
      batch: COUNT,
    }).bytes;
    const own = await openTflite(integer);
    const heard = (await own.run({ x })).logits as Float32Array;
    const one = (label: string, bytes: Uint8Array, expected: Float32Array, tolerance: number): Case => ({
      ...{ name: `${name} ${label}`, bytes, tolerance },
      inputs: { x: { dtype: 'float32', shape, data: x } },
      outputs: { logits: { dtype: 'float32', shape: [COUNT, CLASSES], data: expected } },
    });
    cases.push(one('float32', float, logits, 1e-4), one('int8 as here', integer, heard, 1e-4));
    cases.push({ ...one('int8 beside float32', integer, logits, 0.2) });
  }
  const verdicts = checkWithPython('tflite_check.py', '.tflite', cases);
  const size = new Map(cases.map(({ name, bytes }) => [name, bytes.length]));
  console.log(
    verdicts
      .map(({ name, error, top1 }) => `${name}: ${size.get(name)} bytes, ${error.toExponential(1)}, top1 ${top1}`)
      .join('\n'),
  );
  expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]);
});
