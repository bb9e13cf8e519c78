import path from 'node:path';
import { npyBytes } from '../../../src/data/readers/numpy/npy.ts';
import { writeFileAtomic } from '../../../src/base/files.ts';
import type { LoadedDataset } from '../../../src/data/load.ts';
import { checkModels, refuseLarge } from '../../../src/run/stages/check/check-models.ts';
import { openAndCheck } from '../../../src/run/stages/teacher/given-teacher.ts';
import type { Collectives } from '../../../src/run/processes/collectives.ts';
import { processesOf } from '../../../src/run/processes/processes.ts';
import { createOnnxRuntimeEngine, evaluator } from '../../../src/runtime/onnxruntime/engine.ts';
import { makeRecipe } from '../../../src/setup/make-recipe.ts';
import { useLazyBackend } from '../../../src/trace/use.ts';
import { CLASSES, pictures } from '../../support/dataset.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { pictureTeacher } from '../../support/onnx.ts';
import { played } from '../../support/played.ts';
import '../../support/tasks.ts';

beforeAll(() => useLazyBackend(evaluator));

const folder = temporaryFolder();
const engine = createOnnxRuntimeEngine({ device: 'cpu', threads: 1 });

function contextOf(group: Collectives, change: object) {
  const data: LoadedDataset = {
    ...{ train: pictures(), validation: pictures(200), test: undefined, warnings: [] },
    ...{ task: 'classification', classNames: CLASSES, classWeights: undefined },
  };
  const { recipe } = makeRecipe(
    { name: 'r', dataset: { type: 'csv', train: 'data.csv' }, student: { model: 'mlp' }, device: 'cpu', ...change },
    folder(),
  );
  return { recipe, data, engine, processes: processesOf(group), onEvent: () => undefined };
}

describe('processes that train together', () => {
  it('are refused with students that begin from other weights', async () => {
    const begun = (seedOf: (rank: number) => number) =>
      played(2, (group) => checkModels(contextOf(group, { seed: seedOf(group.rank) })));
    await expect(begun(() => 1)).resolves.toHaveLength(2);
    await expect(begun((rank) => rank)).rejects.toThrow(/process 1 of 2 has another student than process 0/);
  });

  it('are refused with other files of the teacher', async () => {
    await writeFileAtomic(path.join(folder(), '0.onnx'), pictureTeacher());
    await writeFileAtomic(path.join(folder(), '1.onnx'), pictureTeacher({ layout: 'nchw' }));
    const opened = (fileOf: (rank: number) => string) =>
      played(2, (group) => openAndCheck(contextOf(group, { teacher: { onnx: fileOf(group.rank) } })));
    await expect(opened(() => '0.onnx')).resolves.toHaveLength(2);
    await expect(opened((rank) => `${rank}.onnx`)).rejects.toThrow(/process 1 of 2 has another teacher than process 0/);
  });

  it('are refused with other stored logits', async () => {
    for (const rank of [0, 1])
      await writeFileAtomic(path.join(folder(), `${rank}.npy`), npyBytes([2, 1], Float32Array.of(rank, 0)));
    const opened = played(2, (group) => openAndCheck(contextOf(group, { teacher: { logits: `${group.rank}.npy` } })));
    await expect(opened).rejects.toThrow(/process 1 of 2 has another file of stored logits than process 0/);
  });
});

it('a student whose TFLite file could not be written is refused before its training', () => {
  expect(() => refuseLarge(2 ** 29, ['onnx', 'tflite'])).toThrow(
    /the student has 536870912 parameters: .* take 2\.1 GB/,
  );
  expect(() => refuseLarge(2 ** 29, ['onnx'])).not.toThrow();
  expect(() => refuseLarge(2 ** 29 - 1, ['tflite'])).not.toThrow();
});
