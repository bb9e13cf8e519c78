import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import type { RunEvent } from '../../src/base/events.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { saveTfjs } from '../support/saved-tfjs.ts';
import { writeData } from '../support/tiny.ts';

const folder = temporaryFolder();

const TRAINED = { train: { model: 'mlp', hidden: [16], epochs: 3, batchSize: 16, optimizer: { learningRate: 0.02 } } };

async function follow(change: object, existing: 'ask' | 'fresh' = 'ask') {
  const events: RunEvent[] = [];
  const recipe = {
    name: 'r',
    dataset: { type: 'csv', train: 'data.csv', testFraction: 0.2 },
    student: { model: 'mlp', hidden: [2] },
    distill: { epochs: 1, batchSize: 16 },
    ...QUICK,
    ...change,
  };
  const onEvent = (event: RunEvent): void => void events.push(event);
  const { report } = await runRecipe(makeRecipe(recipe, folder()), { out: folder(), existing, onEvent });
  return { report, events };
}

/** A model.json that answers for `first` before the other of yes and no, and is always right. */
async function saveTeacher(first: 'no' | 'yes'): Promise<{ tfjs: string }> {
  useLazyBackend(evaluator);
  const model = sequential();
  const kernelInitializer = initializers.constant({ value: 0 });
  model.add(layers.dense({ units: 2, inputShape: [2], useBias: false, kernelInitializer, name: 'logits' }));
  const sign = first === 'no' ? 3 : -3;
  const { tensor2d } = await import('@tensorflow/tfjs-core');
  model.setWeights([
    tensor2d([
      [-sign, sign],
      [-sign, sign],
    ]),
  ]);
  await mkdir(path.join(folder(), first));
  await saveTfjs(model, path.join(folder(), first));
  return { tfjs: path.join(folder(), first, 'model.json') };
}

describe('a trained teacher', () => {
  it('is used again after --fresh, until the files of the data set hold something else', async () => {
    const epochs = async (): Promise<number> =>
      (await follow({ teacher: TRAINED }, 'fresh')).events.filter(
        (event) => event.type === 'epoch' && event.stage === 'teach',
      ).length;
    await writeData(folder());
    expect(await epochs()).toBe(3);
    expect(await epochs()).toBe(0);
    await writeData(folder(), 'data.csv', 210);
    expect(await epochs()).toBe(3);
  });

  it('that is worse than the recipe asks for stops the run', async () => {
    await writeData(folder());
    await expect(follow({ teacher: { train: { ...TRAINED.train, optimizer: {} }, minAccuracy: 1 } })).rejects.toThrow(
      /minAccuracy asks for 100\.00 %, and the trained teacher is right on/,
    );
  });
});

describe('a teacher from a file of tfjs', () => {
  it('has its format and its MACs in the report, and the time it took when asked live', async () => {
    await writeData(folder());
    const { report } = await follow({
      teacher: await saveTeacher('no'),
      distill: { epochs: 1, batchSize: 16, softTargets: { store: 'live' } },
    });
    expect(report.models[0]).toMatchObject({ id: 'teacher', format: 'tfjs', macs: 4 });
    expect(report.teacher!.seconds).toBeGreaterThan(0);
  });

  it('in another order of classes is refused with the order, and taken with it', async () => {
    await writeData(folder());
    const teacher = await saveTeacher('yes');
    const attempt = follow({ teacher });
    await expect(attempt).rejects.toThrow(/with its classes in another order it is right on/);
    await expect(attempt).rejects.toMatchObject({ hint: expect.stringContaining('classes: ["yes", "no"]') as string });
    const { report } = await follow({ teacher: { ...teacher, classes: ['yes', 'no'] } });
    expect(report.models[0]!.score.test).toBeGreaterThan(0.9);
  });

  it('is looked at by itself in an ensemble, where a better one would hide it', async () => {
    await writeData(folder());
    const [good, turned] = [await saveTeacher('no'), await saveTeacher('yes')];
    await expect(follow({ teacher: { ensemble: [{ ...good, weight: 9 }, turned] } })).rejects.toThrow(
      /model\.json: right on \d.* another order/,
    );
  });
});

it('stored logits are refused with mixup, whatever the store is to be', async () => {
  await writeData(folder());
  const dataset = { type: 'csv', train: 'data.csv', testFraction: 0.2, augment: [{ mixup: 0.2 }] };
  const distill = { epochs: 1, softTargets: { store: 'live' } };
  await writeFile(path.join(folder(), 'x.safetensors'), '');
  await expect(follow({ dataset, distill, teacher: { logits: 'x.safetensors' } })).rejects.toThrow(
    /mixup .* received teacher\.logits/,
  );
});
