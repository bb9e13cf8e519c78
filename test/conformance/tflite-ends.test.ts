import { quantize } from '../../src/compress/quantize/ptq.ts';
import { importOnnx } from '../../src/formats/onnx/import.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { forInference } from '../../src/graph/passes/inference/for-inference.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { InferenceModel, openerOf } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { LENGTH, model, samples } from '../support/two-ends.ts';
import type { Case, CaseTensor } from './python.ts';
import { checkWithPython } from './python.ts';

const session = sessionOptions('cpu', { threads: 1 });
const COUNT = 100;

it('files of two inputs and two outputs give in LiteRT what ONNX Runtime makes of the ONNX file, on the raw arrays', async () => {
  const bytes = model(1);
  const { ids, numbers } = samples(COUNT);
  const words = { data: BigInt64Array.from(ids, BigInt), shape: [COUNT, LENGTH] };
  const fed = { ids: words, numbers: { data: numbers, shape: [COUNT, 2] } };
  const runner = new InferenceModel(bytes, 'two ends', session);
  const results = await runner.run(fed);
  runner.dispose();
  const [norm, scores] = ['norm', 'scores'].map((name) => results[name]!.data as Float32Array) as [
    Float32Array,
    Float32Array,
  ];

  const graph = forInference(importOnnx(decodeModel(bytes, 'two ends'), 'two ends'), (part) =>
    evaluator.runSync(part, new Map()),
  );
  const { result: quantization } = await quantize(graph, [fed], {
    calibrator: 'minmax',
    open: openerOf(session),
    dense: 'tensor',
  });
  const made = (options: object): Uint8Array => exportTflite(graph, { ...options, batch: COUNT }).bytes;
  const int8 = made({ precision: 'integer', quantization });

  const inputs: Record<string, CaseTensor> = {
    ids: { dtype: 'int32', shape: [COUNT, LENGTH], data: Int32Array.from(ids) },
    numbers: { dtype: 'float32', shape: [COUNT, 2], data: numbers },
  };
  const one = (name: string, file: Uint8Array, of: Record<string, Float32Array>, tolerance: number): Case => ({
    ...{ name, bytes: file, inputs, tolerance },
    outputs: {
      norm: { dtype: 'float32', shape: [COUNT, 1], data: of['norm']! },
      scores: { dtype: 'float32', shape: [COUNT, 3], data: of['scores']! },
    },
  });
  const verdicts = checkWithPython('tflite_check.py', '.tflite', [
    one('float32', made({ precision: 'float32' }), { norm, scores }, 1e-5),
    one('int8', int8, { norm, scores }, 0.03),
    // The comparison itself: other answers must not pass.
    one('another answer', int8, { norm, scores: scores.map((value) => -value) }, 0.03),
  ]);
  console.log(verdicts.map(({ name, error }) => `${name}: ${error.toExponential(1)}`).join('\n'));
  expect(verdicts.map(({ problem }) => problem)).toEqual(['', '', expect.stringContaining('output scores differs')]);
});
