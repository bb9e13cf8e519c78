import { batches } from '../../../src/data/batches/batches.ts';
import type { Dataset } from '../../../src/data/dataset.ts';
import { LiveSoftTargets } from '../../../src/distill/answers/live-soft-targets.ts';
import {
  bytesOfAnswers,
  SoftTargetsBuilder,
  softTargetsKey,
  StoredSoftTargets,
} from '../../../src/distill/answers/soft-targets.ts';
import { answerBlock, answerPlan, BlockMerge } from '../../../src/distill/answers/answer-blocks.ts';
import type { StoreOptions } from '../../../src/distill/answers/soft-targets.ts';
import type { StoredLogitsOptions } from '../../../src/distill/answers/stored-logits.ts';
import { npyLogits, storedLogits } from '../../../src/distill/answers/stored-logits.ts';
import type { Teacher } from '../../../src/distill/teachers/teacher.ts';
import { writeSafetensors } from '../../../src/formats/safetensors.ts';
import type { Safetensors } from '../../../src/formats/safetensors.ts';
import { turnsIn } from '../../../src/run/processes/processes.ts';
import { pictures } from '../../support/dataset.ts';
import { played } from '../../support/played.ts';
import '../../support/tasks.ts';

/** The logit of class k is a mean over the picture, differently weighted: another answer for every picture. */
const teacher: Teacher = {
  name: 'a test teacher',
  key: 'test',
  classes: 3,
  featureShapes: {},
  params: 0,
  sizeBytes: 0,
  device: 'cpu',
  answer: (x, n) => {
    const logits = new Float32Array(n * 3);
    for (let i = 0; i < n; i++) {
      for (let p = 0; p < 32; p++)
        for (let c = 0; c < 3; c++) logits[i * 3 + c]! += x[i * 32 + p]! * Math.cos(p * (c + 1));
    }
    return Promise.resolve({ logits, features: {} });
  },
  dispose: () => Promise.resolve(),
};

const augment = [{ shift: 1 }, { flip: 'horizontal' as const }];
const options = (change: Partial<StoreOptions> = {}): StoreOptions => ({
  teacher,
  dataset: pictures(),
  store: 'fp32',
  views: 1,
  augment: [],
  seed: 5,
  ...change,
});

async function built(given: StoreOptions, batch = 7): Promise<Safetensors> {
  const builder = new SoftTargetsBuilder(given);
  while (builder.done < builder.total) await builder.next(batch);
  return builder.saved();
}

it('live answers are to the batch itself: cropped, erased and mixed as the student sees it', async () => {
  const asked: Float32Array[] = [];
  const answer: Teacher['answer'] = (x, n) => {
    asked.push(x);
    return teacher.answer(x, n);
  };
  const live = new LiveSoftTargets({ ...teacher, answer }, pictures());
  const steps = [{ resizedCrop: {} }, { erase: {} }, { cutmix: 1 }, { mixup: 1 }];
  const [first] = batches(pictures(), { batchSize: 16, seed: 5, epoch: 0, augment: steps });
  const { teacherLogits } = await live.answersFor(first!);
  expect(asked).toEqual([first!.x]);
  expect(teacherLogits).toEqual((await teacher.answer(first!.x, 16)).logits);
  // Mixed throughout, not now and then.
  expect(first!.mix!.lambda.filter((share) => share < 1).length).toBeGreaterThan(8);
});

it('the time of live answers is that of all trainings, as each of them has it over all processes and starts', async () => {
  const live = new LiveSoftTargets(teacher, pictures());
  const [batch] = batches(pictures(), { batchSize: 16, seed: 5, epoch: 0 });
  const seconds = live.timed();
  expect(seconds()).toBe(0);
  await live.answersFor(batch!);
  expect(seconds()).toBeGreaterThan(0);
  live.tookFor('distill', 1);
  live.tookFor('distill-2', 4);
  // Its saved state is looked at again.
  live.tookFor('distill', 2);
  expect(live.seconds).toBe(6);
});

describe('stored soft targets', () => {
  it('are the answers to the very samples of a shuffled batch, for every view of an augmented epoch', async () => {
    const given = options({ views: 3, augment });
    const stored = new StoredSoftTargets(await built(given), given.dataset, 'x');
    const live = new LiveSoftTargets(teacher, given.dataset);
    for (const epoch of [0, 1, 2, 4]) {
      for (const batch of batches(given.dataset, { batchSize: 16, seed: 5, epoch, augment, views: 3 })) {
        expect(await stored.answersFor(batch)).toEqual(await live.answersFor(batch));
      }
    }
  });

  it('follow the sample, not its place: a data set in another order finds the same answers', async () => {
    const stored = await built(options());
    const turned = reversed(pictures());
    const answers = new StoredSoftTargets(stored, turned, 'x');
    for (const batch of batches(turned, { batchSize: 16, seed: 1, epoch: 0 })) {
      expect(await answers.answersFor(batch)).toEqual(await new LiveSoftTargets(teacher, turned).answersFor(batch));
    }
  });

  it('in half precision are off by no more than that', async () => {
    const [half, full] = [await built(options({ store: 'fp16' })), await built(options())];
    const [batch] = batches(pictures(), { batchSize: 60, seed: 1, epoch: 0 });
    const ask = async (content: Safetensors) =>
      (await new StoredSoftTargets(content, pictures(), 'x').answersFor(batch!)).teacherLogits!;
    const [a, b] = [await ask(half), await ask(full)];
    a.forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThanOrEqual(Math.abs(b[i]!) / 2048));
    expect(half.tensors.get('logits')!.data.byteLength).toBe(full.tensors.get('logits')!.data.byteLength / 2);
  });

  it('are the same when their making was stopped and resumed', async () => {
    const given = options({ views: 2, augment, store: 'fp16' });
    const first = new SoftTargetsBuilder(given);
    for (let i = 0; i < 5; i++) await first.next(7);
    const saved = first.saved();
    expect(saved.tensors.get('logits')!.data).toHaveLength(35 * 3);
    const second = new SoftTargetsBuilder(given, saved);
    expect(second.done).toBe(35);
    while (second.done < second.total) await second.next(7);
    expect(writeSafetensors(second.saved())).toEqual(writeSafetensors(await built(given)));
  });

  it.each(['fp16', 'fp32'] as const)('are those of one process where several ask in turns: %s', async (store) => {
    const given = options({ views: 2, augment, store });
    const alone = await built(given);
    const all = await played(3, async (group) => {
      const builder = new SoftTargetsBuilder(given);
      while (builder.done < builder.total) await builder.next(7, turnsIn(group));
      return builder.saved();
    });
    for (const one of all) expect(writeSafetensors(one)).toEqual(writeSafetensors(alone));
  });

  it('are not resumed from those of another teacher', async () => {
    const first = new SoftTargetsBuilder(options());
    await first.next(7);
    expect(new SoftTargetsBuilder(options({ teacher: { ...teacher, key: 'other' } }), first.saved()).done).toBe(0);
  });

  it('have another key when teacher, data, number format, views, seed or augmentation change', () => {
    const darker = pictures();
    darker.samples[0]! ^= 1;
    const changes: Partial<StoreOptions>[] = [
      {},
      { teacher: { ...teacher, key: 'other' } },
      { dataset: darker },
      { dataset: pictures(60, { normalization: { scale: 1, mean: [0, 0], std: [1, 1] } }) },
      { store: 'fp16' },
      { augment },
      { augment: [{ shift: 2 }, { flip: 'horizontal' }] },
      { augment, views: 2 },
      { augment, seed: 6 },
    ];
    expect(new Set(changes.map((change) => softTargetsKey(options(change)))).size).toBe(changes.length);
  });

  it('without augmentation have the same key for every seed: nothing about them is drawn', () => {
    expect(softTargetsKey(options({ seed: 1 }))).toBe(softTargetsKey(options({ seed: 2 })));
  });

  it('are refused for a data set that they do not cover, another split, or other classes', async () => {
    const stored = await built(options());
    const open = (dataset: Dataset) => () => new StoredSoftTargets(stored, dataset, 'store');
    expect(open(pictures(61))).toThrow(/store: no answer for sample train\/603/);
    expect(open(pictures(60, { idPrefix: 'test' }))).toThrow(/for the split train, received samples of test/);
    expect(open(pictures(60, { classNames: ['a', 'b', 'c', 'd'] }))).toThrow(
      /answers for 3 classes, the data set has 4/,
    );
    const { classNames } = pictures();
    expect(open(pictures(60, { classNames: [classNames[0]!, classNames[2]!, classNames[1]!] }))).toThrow(
      /^store: answers for .* in this order, and the data set has /,
    );
    expect(open(pictures(60, { classNames: ['x', 'y', 'z'] }))).not.toThrow();
    const empty = { tensors: new Map(), metadata: {} };
    expect(() => new StoredSoftTargets(empty, pictures(), 'store')).toThrow(/expected the tensors logits/);
  });

  it('stop at an answer that is not finite, and name the sample', async () => {
    const broken: Teacher = {
      ...teacher,
      answer: (_x, n) => Promise.resolve({ logits: new Float32Array(n * 3).fill(NaN), features: {} }),
    };
    await expect(new SoftTargetsBuilder(options({ teacher: broken })).next(7)).rejects.toThrow(
      /sample train\/3 is not finite/,
    );
  });

  it('beyond the range of float16 are refused in it, and kept in float32', async () => {
    const loud: Teacher = {
      ...teacher,
      answer: (_x, n) => Promise.resolve({ logits: new Float32Array(n * 3).fill(70_000), features: {} }),
    };
    const builder = (store: 'fp16' | 'fp32') => new SoftTargetsBuilder(options({ teacher: loud, store }));
    await expect(builder('fp16').next(7)).rejects.toThrow(/sample train\/3 holds 7\.000e\+4, more than float16 can/);
    await expect(builder('fp32').next(7)).resolves.toBeUndefined();
  });

  it('that were not all answered are refused', async () => {
    const builder = new SoftTargetsBuilder(options());
    await builder.next(7);
    expect(() => new StoredSoftTargets(builder.saved(), pictures(), 'store')).toThrow(
      /holds the first 7 answers of a run/,
    );
  });
});

it('live answers in parts are those to the whole batch, and of several processes each asks about its part', async () => {
  const [batch] = batches(pictures(), { batchSize: 16, seed: 5, epoch: 0 });
  const answer: Teacher['answer'] = async (x, n) => {
    const { logits } = await teacher.answer(x, n);
    return {
      logits,
      features: { inner: Float32Array.from({ length: 2 * n }, (_, i) => x[(i >> 1) * (x.length / n) + (i & 1)]!) },
    };
  };
  const given = { ...teacher, answer, featureShapes: { inner: [2] } };
  const whole = await new LiveSoftTargets(given, pictures()).answersFor(batch!);
  const asked: number[] = [];
  const all = await played(3, (group) => {
    const counting: Teacher['answer'] = (x, n) => {
      asked[group.rank] = (asked[group.rank] ?? 0) + n;
      return answer(x, n);
    };
    const live = new LiveSoftTargets({ ...given, answer: counting }, pictures(), { shards: 5, turns: turnsIn(group) });
    const share = { rank: group.rank, size: 3, cuts: [live.cut] };
    const [own] = batches(pictures(), { batchSize: 16, seed: 5, epoch: 0, share });
    return live.answersFor(own!);
  });
  for (const one of all) expect(one).toEqual(whole);
  // Parts of 4, 3, 3, 3 and 3 samples, asked about twice by how it is played.
  expect(asked).toEqual([14, 12, 6]);
});

describe('stored logits as a teacher', () => {
  const content = (logits: Float32Array): Safetensors => ({
    tensors: new Map([
      ['logits', { dtype: 'float32', shape: [1, 60, 3], data: logits }],
      ['ids', { dtype: 'int32', shape: [60], data: pictures().ids }],
    ]),
    metadata: {},
  });
  const perfect = Float32Array.from({ length: 180 }, (_, i) => (i % 3 === Math.floor(i / 3) % 3 ? 5 : 0));

  it('are checked against the labels', async () => {
    expect((await storedLogits(content(perfect), 'x', pictures())).accuracy).toBe(1);
  });

  it('that are misaligned are refused: they are no better than chance', async () => {
    const shifted = Float32Array.from(perfect, (_, i) => perfect[(i + 3) % 180]!);
    await expect(storedLogits(content(shifted), 'x', pictures())).rejects.toThrow(
      /right on 0\.0 % of 60 training samples/,
    );
  });

  it('are held to the accuracy that the recipe asks for', async () => {
    const almost = perfect.map((value, i) => (i < 3 ? -value : value));
    const open = (minAccuracy?: number) => storedLogits(content(almost), 'x', pictures(), { minAccuracy });
    expect((await open(0.98)).accuracy).toBeCloseTo(59 / 60);
    await expect(open(0.99)).rejects.toThrow(/right on 98\.3 % .*minAccuracy asks for 99\.0 %/);
  });

  it('that are not finite are refused', async () => {
    await expect(storedLogits(content(perfect.map((v, i) => (i === 9 ? NaN : v))), 'x', pictures())).rejects.toThrow(
      'x: the stored logits of sample train/33 are not finite',
    );
  });

  it('with two classes changed over are refused, though they are better than chance, until the recipe names their order', async () => {
    const swapped = Float32Array.from(perfect, (_, i) => perfect[i - (i % 3) + [0, 2, 1][i % 3]!]!);
    const open = (change: StoredLogitsOptions) =>
      storedLogits(content(swapped), 'x', pictures(), { minAccuracy: 0.3, ...change });
    await expect(open({})).rejects.toMatchObject({
      message:
        'x: right on 33.3 % of 60 training samples, and with its classes in another order it is right on 100.0 %: what it calls bee is cow, what it calls cow is bee',
      hint: expect.stringContaining('classes: [ant, cow, bee]') as string,
    });
    const { accuracy, answers } = await open({ classes: ['ant', 'cow', 'bee'] });
    expect(accuracy).toBe(1);
    const { teacherLogits } = await answers.answersFor({ ids: Int32Array.of(7), x: new Float32Array(0) });
    expect(teacherLogits).toEqual(perfect.slice(21, 24));
    await expect(open({ classes: ['ant', 'bee'] })).rejects.toThrow('received 2 names');
  });

  it('that are probabilities become logits, by themselves or as the recipe says', async () => {
    const probabilities = perfect.map((value) => (value === 5 ? 0.8 : 0.1));
    const asked = { ids: Int32Array.of(1), x: new Float32Array(0) };
    for (const outputs of ['auto', 'probabilities'] as const) {
      const { answers, warnings } = await storedLogits(content(probabilities), 'x', pictures(), { outputs });
      const logits = [0.1, 0.8, 0.1].map((p) => Math.fround(Math.log(Math.fround(p))));
      expect([...(await answers.answersFor(asked))['teacherLogits']!]).toEqual(logits);
      expect(warnings).toEqual([]);
    }
    const { warnings } = await storedLogits(content(probabilities), 'x', pictures(), { outputs: 'logits' });
    expect(warnings).toEqual([expect.stringMatching(/look like probabilities, not logits/)]);
    await expect(storedLogits(content(perfect), 'x', pictures(), { outputs: 'probabilities' })).rejects.toThrow(
      'teacher.outputs: expected probabilities, received 5.000 from x',
    );
  });

  it('that are the same for all samples are refused', async () => {
    const constant = Float32Array.from(perfect, (_, i) => (i % 3 === 0 ? 5 : 0));
    await expect(storedLogits(content(constant), 'x', pictures())).rejects.toMatchObject({
      message: 'x: gives the same answer to 60 different samples',
      hint: expect.stringContaining('let the teacher answer again') as string,
    });
  });

  it('are read from a NumPy array, row i for sample i of the file', async () => {
    const npy = (values: Float32Array, shape: string): Uint8Array => {
      const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
      const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
      return Buffer.concat([start, Buffer.from(`${header}\n`, 'latin1'), Buffer.from(values.buffer)]);
    };
    // The samples have the numbers 3, 13, … of a file of 600.
    const data = pictures();
    const rows = new Float32Array(1800);
    data.ids.forEach((id, i) => rows.set(perfect.subarray(3 * i, 3 * i + 3), 3 * id));
    const { answers, accuracy } = await storedLogits(npyLogits(npy(rows, '(600, 3)'), 'x.npy'), 'x.npy', data);
    expect(accuracy).toBe(1);
    const { teacherLogits } = await answers.answersFor({ ids: Int32Array.of(7, 2), x: new Float32Array(0) });
    expect(teacherLogits).toEqual(Float32Array.of(...perfect.subarray(21, 24), ...perfect.subarray(6, 9)));
    expect(() => npyLogits(npy(rows, '(1800,)'), 'x.npy')).toThrow(
      'x.npy: expected logits as [samples, classes], received [1800]',
    );
    await expect(
      storedLogits(npyLogits(npy(rows.subarray(0, 900).slice(), '(300, 3)'), 'x.npy'), 'x.npy', data),
    ).rejects.toThrow('x.npy: no answer for sample train/303');
  });

  it('know whether they are answers to the views that the student is shown', async () => {
    const right: Teacher = {
      ...teacher,
      answer: (_x, n) => Promise.resolve({ logits: perfect.slice(0, n * 3), features: {} }),
    };
    const stored = await built(options({ teacher: right, views: 2, augment }), 60);
    const open = (change: object) => storedLogits(stored, 'x', pictures(), { augment, seed: 5, ...change });
    expect(await open({})).toMatchObject({ isSame: true, views: 2 });
    expect(await open({ seed: 6 })).toMatchObject({ isSame: false, views: undefined });
    expect(await open({ augment: [] })).toMatchObject({ isSame: false, views: undefined });
    const plain = await storedLogits(content(perfect), 'x', pictures(), { augment, seed: 5 });
    expect(plain).toMatchObject({ isSame: false, views: undefined });
  });
});

function reversed(dataset: Dataset): Dataset {
  const samples = new Uint8Array(dataset.samples.length);
  for (let i = 0; i < dataset.count; i++) {
    const from = (dataset.count - 1 - i) * 32;
    samples.set((dataset.samples as Uint8Array).subarray(from, from + 32), i * 32);
  }
  return { ...dataset, samples, ids: dataset.ids.slice().reverse(), targets: dataset.targets.slice().reverse() };
}

it.each(['fp16', 'fp32'] as const)(
  'the largest logits alone are stored in %s, also in blocks, and the others get the same share of the rest',
  async (store) => {
    const given = options({ store, top: 1, views: 2, augment });
    const content = await built(given);
    expect(content.tensors.get('top')!.shape).toEqual([2, given.dataset.count, 3]);
    expect(bytesOfAnswers(given)).toBe(content.tensors.get('top')!.data.byteLength);
    expect(softTargetsKey(given)).not.toBe(softTargetsKey({ ...given, top: undefined }));
    const ids = Int32Array.of(3, 0, 8);
    const asked = { ids, x: new Float32Array(0), view: 1 };
    const all = new StoredSoftTargets(await built({ ...given, top: undefined }), given.dataset, 'all');
    const some = new StoredSoftTargets(content, given.dataset, 'some');
    expect([some.width, some.views]).toEqual([3, 2]);
    const [whole, kept] = [await all.answersFor(asked), await some.answersFor(asked)].map(({ teacherLogits }) => teacherLogits!); // prettier-ignore
    for (let i = 0; i < ids.length; i++) {
      const [own, found] = [whole!, kept!].map((logits) => Array.from(logits.subarray(3 * i, 3 * i + 3)));
      const best = own!.indexOf(Math.max(...own!));
      expect(found![best]).toBe(own![best]);
      const rest = Math.log(own!.reduce((sum, logit, c) => (c === best ? sum : sum + Math.exp(logit)), 0) / 2);
      const others = found!.filter((_, c) => c !== best);
      for (const logit of others) expect(logit).toBeCloseTo(rest, store === 'fp16' ? 2 : 5);
    }
    const plan = answerPlan(given, 5);
    const merge = new BlockMerge(given);
    for (const block of [...plan.blocks].reverse()) merge.add(block, await answerBlock(given, plan, block, () => 0));
    expect(merge.whole.tensors).toEqual((await built(given, 5)).tensors);
  },
);
