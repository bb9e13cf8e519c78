import { UserError } from '../../src/base/errors.ts';
import { importOnnx } from '../../src/formats/onnx/import.ts';
import type { OnnxTensor } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { exportTflite } from '../../src/formats/tflite/export.ts';
import { forInference } from '../../src/graph/passes/inference/for-inference.ts';
import { withBatch } from '../../src/graph/shapes.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { numbers } from '../support/graphs.ts';
import * as attention from '../support/onnx-cases/attention.ts';
import * as convolutions from '../support/onnx-cases/conv.ts';
import * as known from '../support/onnx-cases/known.ts';
import * as places from '../support/onnx-cases/places.ts';
import * as recurrent from '../support/onnx-cases/recurrent.ts';
import * as sizes from '../support/onnx-cases/resize.ts';
import type { Case as Steps } from '../support/onnx-steps.ts';
import { modelOf, run } from '../support/onnx-steps.ts';
import type { Case } from './python.ts';
import { checkWithPython } from './python.ts';

const TABLES: readonly [Readonly<Record<string, Steps>>, Readonly<Record<string, OnnxTensor>>][] = [
  [attention.attentionCases, attention.stored],
  [convolutions.convCases, convolutions.stored],
  [known.knownCases, known.stored],
  [places.placeCases, places.stored],
  [recurrent.recurrentCases, recurrent.stored],
  [sizes.resizeCases, sizes.stored],
];

it('what is read of ONNX files gives in LiteRT what ONNX Runtime makes of the file, or is refused by name', async () => {
  const cases: Case[] = [];
  const refused: string[] = [];
  for (const [table, stored] of TABLES) {
    for (const [name, [dims, fed, steps, opset]] of Object.entries(table)) {
      const model = modelOf(dims, stored, steps, opset);
      const graph = forInference(importOnnx(model, 'm.onnx'), (part) => evaluator.runSync(part, new Map()));
      const expected = await run(encodeModel(model), fed);
      const { shape } = graph.types.get(graph.outputs.get('y')!)!;
      const size = withBatch(shape, fed[0]!).map(Number);
      const data = numbers(
        fed.reduce((a, b) => a * b, 1),
        'x',
      );
      try {
        const { bytes } = exportTflite(graph, { batch: fed[0]! });
        const inputs = { x: { dtype: 'float32', shape: fed, data } } as const;
        cases.push({
          name,
          bytes,
          inputs,
          outputs: { y: { dtype: 'float32', shape: size, data: expected } },
          tolerance: 1e-4,
        });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        refused.push(`${name}: ${error.message}`);
      }
    }
  }
  const verdicts = checkWithPython('tflite_check.py', '.tflite', cases);
  console.log(`${verdicts.length} written, ${refused.length} refused:\n${refused.join('\n')}`);
  expect(verdicts.filter(({ problem }) => problem !== '')).toEqual([]);
  expect(verdicts.length).toBeGreaterThan(50);
}, 300_000);
