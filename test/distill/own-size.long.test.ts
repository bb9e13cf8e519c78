import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { UserError } from '../../src/base/errors.ts';
import { batches, chanceOf, PLAIN, viewOf } from '../../src/data/batches/batches.ts';
import type { AugmentStep } from '../../src/data/config.ts';
import { loadDataset } from '../../src/data/load.ts';
import { originalsOf } from '../../src/data/pictures/originals.ts';
import { neededOf } from '../../src/data/batches/share.ts';
import { resized } from '../../src/data/pictures/resize.ts';
import { onnxTeacher } from '../../src/distill/teachers/onnx-teacher.ts';
import { LiveSoftTargets } from '../../src/distill/answers/live-soft-targets.ts';
import { SoftTargetsBuilder, StoredSoftTargets } from '../../src/distill/answers/soft-targets.ts';
import { seenAs } from '../../src/distill/teachers/inputs/own-pictures.ts';
import { plainLogits } from '../../src/distill/preflight/preflight.ts';
import { runRecipe } from '../../src/run/run.ts';
import { turnsIn } from '../../src/run/processes/processes.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { accuracyOf } from '../../src/tasks/classification/chance.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { pictures } from '../support/dataset.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { played } from '../support/played.ts';
import { SIDE, smoothPictures, stripedPictures, stripesTeacher } from '../support/stripes.ts';

const folder = temporaryFolder();
const SIZE = { resize: [SIDE, SIDE], channels: 3 } as const;

async function striped(resize: [number, number] = [6, 6], keepOriginals = true) {
  const train = await stripedPictures(path.join(folder(), 'pictures'));
  return (await loadDataset({ type: 'image-folder', train, resize, validation: 0.3 }, { keepOriginals })).train;
}

async function open(dataset: Awaited<ReturnType<typeof striped>>, settings: object = SIZE) {
  const rows = [0, 1, 2, 3];
  const original = originalsOf(dataset, rows, chanceOf(PLAIN));
  const source = { dataset, probe: { x: viewOf(dataset, rows, PLAIN), n: 4, original } };
  const session = { executionProviders: ['cpu'] };
  const asked = { layout: 'auto', outputs: 'auto', intermediate: [], ...settings } as const;
  return onnxTeacher({ ...source, name: 'large.onnx', bytes: stripesTeacher(), session }, asked);
}

const all = (dataset: { count: number }): Int32Array => Int32Array.from({ length: dataset.count }, (_, i) => i);

describe('a teacher of its own size', () => {
  it('sees the picture files, not what the student sees of them', async () => {
    const dataset = await striped();
    const right = async (of: typeof dataset) =>
      accuracyOf(await plainLogits(await open(of), of, all(of)), of.targets, 2);
    expect(await right(dataset)).toBe(1);
    // Of the small pictures the stripes are gone.
    expect(await right({ ...dataset, originals: undefined })).toBeLessThan(0.9);
  });

  it('has a key of its own for each size and for other pictures', async () => {
    const dataset = await striped();
    const keys = [await open(dataset), await open(dataset, { ...SIZE, normalize: { mean: 0.5, std: 1 } })];
    expect(new Set(keys.map(({ key }) => key)).size).toBe(2);
    const builder = (of: typeof dataset) =>
      new SoftTargetsBuilder({ ...{ teacher: keys[0]!, dataset: of, store: 'fp32', views: 1, augment: [], seed: 1 } });
    const changed = { ...dataset, originals: { images: [], hash: 'another' } };
    expect(builder(dataset).saved().metadata['key']).not.toBe(builder(changed).saved().metadata['key']);
  });

  it('without its size is refused with the keys that it needs', async () => {
    const error = (await open(await striped(), {}).catch((thrown: unknown) => thrown)) as UserError;
    expect(error.message).toContain('its input pixels is [batch, 3, 24, 24], received samples of shape [6, 6, 1]');
    expect(error.hint).toContain('Set teacher.resize: [24, 24] and teacher.channels: 3');
    const table = { sampleShape: [4], normalization: { scale: 1, mean: [0, 0, 0, 0], std: [1, 1, 1, 1] } };
    expect(() => seenAs(table, { resize: [2, 2] })).toThrow(/expected pictures, received samples of shape \[4\]/);
    expect(() => seenAs(pictures(), { channels: 3 })).toThrow(/expected pictures of 1 or 3 channels, received 2/);
  });

  it('of arrays sees them enlarged', async () => {
    const dataset = pictures();
    const x = viewOf(dataset, [3], PLAIN);
    const { form, bring } = seenAs(dataset, { resize: [7, 5] });
    expect(form.sampleShape).toEqual([7, 5, 2]);
    expect(await bring(x, 1)).toEqual(resized(x, [4, 4, 2], [7, 5]));
  });

  it('sees grey in colour, and colour in grey by its luma', async () => {
    const colour = { sampleShape: [1, 1, 3], normalization: { scale: 1 / 255, mean: [0.1, 0.2, 0.3], std: [1, 2, 4] } };
    const { form, bring } = seenAs(colour, { channels: 1 });
    const raw = [0.9, 0.5, 0.7];
    const [grey] = await bring(Float32Array.from(raw, (v, c) => (v - colour.normalization.mean[c]!) / colour.normalization.std[c]!), 1); // prettier-ignore
    const back = grey! * form.normalization.std[0]! + form.normalization.mean[0]!;
    expect(back).toBeCloseTo(0.299 * 0.9 + 0.587 * 0.5 + 0.114 * 0.7, 5);
  });

  const STEPS: readonly AugmentStep[] = [
    { shift: 2 },
    { crop: 2 },
    { flip: 'horizontal' },
    { flip: 'vertical' },
    { rotate: 40 },
    { cutout: 3 },
    { resizedCrop: { area: [0.3, 0.6] } },
    { erase: {} },
    { randAugment: { magnitude: 20 } },
    { cutmix: 1 },
    { mixup: 1 },
  ];

  it.each(STEPS)('sees the very change that the student sees: %j', async (step) => {
    const train = await smoothPictures(path.join(folder(), 'smooth'));
    const { train: dataset } = await loadDataset(
      { type: 'image-folder', train, resize: [12, 12] },
      { keepOriginals: true },
    );
    const options = { batchSize: 8, seed: 4, epoch: 2, augment: [step] };
    const [batch] = batches(dataset, options);
    const asked = { sampleShape: [48, 48, 1] as const, normalization: dataset.normalization };
    const large = await originalsOf(dataset, batch!.ids, batch!.chance)!(asked);
    const [plain] = batches(dataset, { ...options, augment: [] });
    let [same, unlike] = [0, 0];
    for (let i = 0; i < 8; i++) {
      const small = resized(large.subarray(i * 48 * 48, (i + 1) * 48 * 48), [48, 48, 1], [12, 12]);
      const distance = (to: Float32Array): number => {
        const at = to.subarray(i * 144, (i + 1) * 144);
        return small.reduce((sum, value, p) => sum + Math.abs(value - at[p]!), 0);
      };
      same += distance(batch!.x);
      unlike += distance(plain!.x);
    }
    // Half of the pictures are not erased, and differ from the plain ones by nothing but their size.
    expect(same).toBeLessThan(('erase' in step ? 0.6 : 0.5) * unlike);
  });

  it('answers to stored views what it answers live', async () => {
    const dataset = await striped();
    const teacher = await open(dataset);
    const augment: readonly AugmentStep[] = [{ flip: 'horizontal' }, { shift: 1 }];
    const builder = new SoftTargetsBuilder({ teacher, dataset, store: 'fp32', views: 2, augment, seed: 5 });
    while (builder.done < builder.total) await builder.next(7);
    const stored = new StoredSoftTargets(builder.saved(), dataset, 'x');
    const live = new LiveSoftTargets(teacher, dataset);
    for (const batch of batches(dataset, { batchSize: 9, seed: 5, epoch: 1, augment, views: 2 }))
      expect(await stored.answersFor(batch)).toEqual(await live.answersFor(batch));
  });

  it.each<AugmentStep>([{ flip: 'horizontal' }, { mixup: 1 }])(
    'asked by several processes, each decodes what its own part of a batch is made of: %j',
    async (step) => {
      const dataset = await striped();
      const teacher = await open(dataset);
      const options = { batchSize: 8, seed: 4, epoch: 2, augment: [step] };
      const [batch] = batches(dataset, options);
      const expected = await new LiveSoftTargets(teacher, dataset, { shards: 4 }).answersFor(batch!);
      const { originals } = dataset;
      if (typeof originals !== 'object') throw new Error('the pictures were not kept');
      const told = await played(2, async (group) => {
        const decoded = new Set<number>();
        const images = new Proxy(originals.images, {
          get: (target, key) => {
            if (typeof key === 'string' && /^\d+$/.test(key)) decoded.add(Number(key));
            return Reflect.get(target, key, target) as unknown;
          },
        });
        const seen = { ...dataset, originals: { ...originals, images } };
        const live = new LiveSoftTargets(teacher, seen, { shards: 4, turns: turnsIn(group) });
        const share = { rank: group.rank, size: 2, cuts: [live.cut] };
        const [own] = batches(dataset, { ...options, share });
        const positions = neededOf(8, share, batch!.mix?.partners);
        return {
          decoded,
          needed: new Set(positions.map((i) => dataset.ids[batch!.ids[i]!]!)),
          answers: await live.answersFor(own!),
        };
      });
      for (const { decoded, needed, answers: own } of told) expect([decoded, own]).toEqual([needed, expected]);
    },
  );

  it.each(['fp16', 'live'] as const)(
    'teaches a run, and is evaluated and converted as it is asked (%s)',
    async (store) => {
      await stripedPictures(path.join(folder(), 'pictures'), 30);
      await writeFile(path.join(folder(), 'large.onnx'), stripesTeacher());
      const recipe = {
      name: 'own',
      dataset: { type: 'image-folder', train: 'pictures', resize: [6, 6], testFraction: 0.3, augment: [{ flip: 'horizontal' }] },
      teacher: { onnx: 'large.onnx', ...SIZE, minAccuracy: 0.99 },
      student: { model: 'mlp', hidden: [4] },
      distill: { epochs: 1, batchSize: 8, softTargets: { store } },
      ...QUICK,
    }; // prettier-ignore
      const { report } = await runRecipe(makeRecipe(recipe, folder()), { out: folder(), existing: 'fresh' });
      expect(report.models.find(({ model }) => model.role === 'teacher')!.score.test).toBe(1);
      if (store === 'live') return;
      const file = path.join(folder(), 'recipe.json');
      await writeFile(file, JSON.stringify(recipe));
      const large = path.join(folder(), 'large.onnx');
      const result = await evaluateFile(large, await loadRunnable(file), 'test');
      expect([result.accuracy, result.preparation]).toEqual([
        1,
        expect.stringMatching(/^pictures of 24x24, in colour, /),
      ]);
      const int8 = path.join(folder(), 'int8.onnx');
      const { preparation } = await convertFile({ from: large, out: int8, data: file, precision: 'int8', samples: 20 });
      expect(preparation).toBe(result.preparation);
      // The file says itself what it was made for.
      expect((await evaluateFile(int8, await loadRunnable(file), 'test')).accuracy).toBe(1);
    },
  );
});
