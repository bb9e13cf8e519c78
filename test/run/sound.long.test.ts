import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readTflite } from '../../src/formats/tflite/read.ts';
import { tensorTypes } from '../../src/formats/tflite/schema/tensor-types.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { runRecipe } from '../../src/run/run.ts';
import { temporaryFolder } from '../support/folder.ts';
import { tones } from '../support/tones.ts';

const folder = temporaryFolder();

it('learns from sounds, and every file that it exports takes the sound itself', async () => {
  const recipe = makeRecipe(
    {
      name: 'run',
      dataset: {
        ...{ type: 'audio-folder', train: tones(folder()), testFraction: 0.3, rate: 4000, seconds: 0.2 },
        features: { mels: 12, window: 0.032, hop: 0.016 },
      },
      student: { model: 'ds-cnn', width: 0.25, strides: [2, 1, 1], depth: 1 },
      distill: { epochs: 12, batchSize: 16, optimizer: { learningRate: 0.01 } },
      export: ['onnx', 'tflite'],
      quantize: [{ scheme: 'int8', samples: 48, maxDrop: 100 }],
      report: { latency: { seconds: 0 } },
    },
    folder(),
  );
  const { report } = await runRecipe(recipe, { out: folder() });
  expect(report.dataset.sampleShape).toEqual([800, 1]);
  const scores = report.models.map(({ id, score }) => [id, score.test! > 0.9]);
  const ids = ['scratch', 'scratch-tflite', 'scratch-int8', 'scratch-int8-tflite'];
  expect(scores).toEqual(ids.map((id) => [id, true]));
  // The spectrum's constants are stored in 16 bits.
  const { tensors } = readTflite(readFileSync(path.join(folder(), 'run/exports/scratch-int8.tflite'))).subgraphs[0]!;
  expect(tensors.map(({ type }) => tensorTypes[type])).toContain('int16');
  const ranked = report.quantizationSensitivity!.rows.map(({ layer }) => layer);
  expect(ranked).not.toContain('log-mel');
  expect(ranked).toContain('stem1');
}, 60_000);
