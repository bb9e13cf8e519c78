import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { compression } from '../../src/tools/compress/compress.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { SIDE, writeColouredBoxes } from '../support/coloured-boxes.ts';
import { asYolov8, detectorFile } from '../support/detectors.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
beforeAll(() => useLazyBackend(evaluator));
const at = (name: string): string => path.join(folder(), name);

const compressed = async (file: Uint8Array) => {
  await writeFile(at('m.onnx'), file);
  const dataset = { type: 'coco', task: 'detection', train: { images: 'train', labels: 'train.json' }, maxBoxes: 4, resize: [SIDE, SIDE], testFraction: 0.2 }; // prettier-ignore
  await writeFile(at('r.json'), JSON.stringify({ name: 'r', dataset, student: { model: 'det-nano' } }));
  const asked = { model: at('m.onnx'), data: at('r.json'), budget: 'size=6,latency=1', epochs: 1, seed: 0 };
  return compression({ ...asked, formats: ['onnx'], out: at('out') });
};

it('a detector is compressed with the boxes of a recipe', async () => {
  await writeColouredBoxes(folder(), 'train', 20);
  const { loaded, budget, notes } = await compressed(detectorFile(SIDE, 3));
  const { student, distill, prune, quantize } = loaded.recipe;
  expect(student).toMatchObject({ onnx: at('m.onnx') });
  expect(distill).toMatchObject({ temperature: 1, loss: 'kd', epochs: 0 });
  expect(prune.length).toBeGreaterThan(0);
  expect(prune[0]).toMatchObject({ importance: 'taylor', target: 'parameters', maxDrop: 0.5 });
  expect(quantize).toMatchObject([{ scheme: 'int8', maxDrop: 0.5 }]);
  expect([budget.drop, notes.length]).toEqual([1, 1]);

  await expect(compressed(detectorFile(SIDE, 2))).rejects.toThrow(
    /m\.onnx: expected boxes \[batch, 84, 4\] and scores \[batch, 84, 3\] for the 84 cells/,
  );
  await expect(compressed(asYolov8(detectorFile(SIDE, 3), SIDE))).rejects.toThrow(
    /m\.onnx: expected a detector with the outputs boxes \[batch, points, 4\] and scores \[batch, points, classes\], received output0 \[/,
  );
});
