import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../src/base/bytes.ts';
import { InterruptedError } from '../../src/base/errors.ts';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { tensorData } from '../../src/formats/onnx/model.ts';
import { runRecipe } from '../../src/run/run.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { detectorFile } from '../support/detectors.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { colourSegmenter, SHAPES, shapesArchive, SIZE } from '../support/shapes.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

beforeEach(async () => {
  useLazyBackend(evaluator);
  await writeFile(at('train.npz'), shapesArchive(160, 'train'));
  await writeFile(at('test.npz'), shapesArchive(40, 'test'));
  await writeFile(at('colours.onnx'), colourSegmenter());
  await writeFile(at('detector.onnx'), detectorFile(SIZE, 3));
});

const made = (change: object = {}) =>
  makeRecipe(
    {
      name: 'shapes',
      dataset: {
        type: 'npz',
        task: 'segmentation',
        train: { file: 'train.npz' },
        test: { file: 'test.npz' },
        classes: SHAPES,
        stride: 4,
        normalize: 'unit',
        validation: 40,
      },
      teacher: { onnx: 'colours.onnx' },
      student: { model: 'seg-lraspp', filters: 8, backbone: { onnx: 'detector.onnx', learningRate: 0.5 } },
      distill: { epochs: 4, batchSize: 20, optimizer: { learningRate: 0.02 } },
      ...QUICK,
      ...change,
    },
    folder(),
  );

it('is pruned, trained with quantization and exported, and ends the same after a stop', async () => {
  const recipe = made({
    prune: [{ type: 'channels', amount: 0.3, finetune: { epochs: 1 }, maxDrop: 100 }],
    quantize: [{ scheme: 'int8', method: 'qat', qat: { epochs: 1 }, maxDrop: 100 }],
    export: ['onnx', 'tflite'],
  });
  const { report, folder: run } = await runRecipe(recipe, { out: folder() });
  const names = report.models.map(({ id }) => id);
  expect(names).toEqual(
    expect.arrayContaining(['scratch', 'distilled', 'pruned-1-tflite', 'pruned-1-int8-qat-tflite']),
  );
  const { macs } = report.models.find(({ id }) => id === 'distilled')!;
  expect(report.models.some((model) => /pruned/.test(model.id) && model.macs! < macs!)).toBe(true);
  const begins = JSON.stringify(report).match(/gives the feature map at stride (8|16)/g);
  expect(new Set(begins)).toEqual(new Set(['gives the feature map at stride 8', 'gives the feature map at stride 16']));

  const hashes = (): string[] => report.models.flatMap(({ file }) => (file === undefined || file === null ? [] : [sha256(readFileSync(path.join(run, file)))])); // prettier-ignore
  const whole = hashes();
  const stop = new AbortController();
  let epochs = 0;
  const onEvent = ({ type }: { readonly type: string }): void => {
    if (type === 'epoch' && ++epochs === 6) stop.abort();
  };
  const begun = runRecipe(recipe, { out: folder(), existing: 'fresh', signal: stop.signal, onEvent });
  await expect(begun).rejects.toThrow(InterruptedError);
  await runRecipe(recipe, { out: folder() });
  expect(hashes()).toEqual(whole);
});

it('begins student and twin with the weights of the file, and says so', async () => {
  const student = { model: 'seg-lraspp', filters: 8, backbone: { onnx: 'detector.onnx', freeze: 'all' } };
  const recipe = made({ student, distill: { epochs: 1, batchSize: 20 }, export: ['onnx'] });
  const { report, folder: run } = await runRecipe(recipe, { out: folder() });
  expect(report.notes).toContain('the twin, which is trained without the teacher, starts from the same weights');
  expect(report.notes).toContainEqual(
    expect.stringMatching(/^the student begins from the \d+ weights of detector.onnx/),
  );
  const [twin, distilled] = ['scratch', 'distilled'].map((id) => {
    const { file } = report.models.find((model) => model.id === id)!;
    const { initializers } = decodeModel(readFileSync(path.join(run, file!)), file!).graph;
    return initializers
      .filter(({ dims }) => dims.length === 4)
      .map((stored) => sha256(JSON.stringify([...tensorData(stored)!])));
  });
  // The first kernels are those of the file in both, as they are frozen, and those of the head were trained.
  expect(twin![0]).toBe(distilled![0]);
  expect(twin!.at(-1)).not.toBe(distilled!.at(-1));
});

it.each([
  [
    'a model without such layers',
    { student: { model: 'unet', backbone: { onnx: 'detector.onnx' } } },
    /whose first layers can be those of a file, received model unet[^]*/,
  ],
  [
    'a factor of filters that the file has',
    { student: { model: 'seg-lraspp', alpha: 0.5, backbone: { onnx: 'detector.onnx' } } },
    /student\.alpha: expected none beside backbone/,
  ],
  [
    'a file that answers from other samples',
    { student: { model: 'seg-lraspp', backbone: { onnx: 'colours.onnx' } } },
    /colours\.onnx: expected feature maps at strides? /,
  ],
])('refuses %s', async (_, change, message) => {
  await expect(runRecipe(made(change), { out: folder() })).rejects.toThrow(message);
});
