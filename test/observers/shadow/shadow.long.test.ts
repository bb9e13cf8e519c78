import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseNpy } from '../../../src/base/numpy.ts';
import { readNpz } from '../../../src/data/formats/npz/npz.ts';
import { loadDataset } from '../../../src/data/load.ts';
import { readStoredLogits, storedLogits } from '../../../src/distill/answers/stored-logits.ts';
import type { TensorSpec } from '../../../src/graph/types.ts';
import { loadRecipe } from '../../../src/recipe/load.ts';
import { TransferSet } from '../../../src/observers/shadow/keep.ts';
import { translationOf } from '../../../src/observers/shadow/preparation.ts';
import { shadowOf } from '../../../src/observers/shadow/observe.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { classified, classifier, sumAndDifference } from '../../serve/models.ts';
import { ask, floats, serving } from '../../serve/server.ts';
import type { Served } from '../../serve/server.ts';

const folder = temporaryFolder();

const best = (values: readonly number[]): number => values.indexOf(Math.max(...values));
const rows = Array.from({ length: 24 }, (_, i) => [Math.sin(i), Math.cos(3 * i), i % 5, -i / 7]);
const differing = rows.filter((row) => best(classified(row)) !== best(classified(row, 1)));

async function withShadow(
  more: object,
  use: (server: Served) => Promise<void>,
  { models = ['student.onnx'], order = [0, 1, 2], own = [0, 1, 2] } = {},
) {
  const { writeFile } = await import('node:fs/promises');
  const teacher = path.join(folder(), 'teacher.onnx');
  await writeFile(teacher, classifier({ seed: 1, order }));
  const files = Object.fromEntries(models.map((name) => [name, classifier({ order: own })]));
  const server = await serving(files, { shadow: { teacher, share: 1, ...more } });
  await use(server).finally(server.end);
}

const counts = ({ host }: Served) => shadowOf(host)!.counts;
const infer = (server: Served, some: readonly (readonly number[])[]) =>
  ask(server, '/v2/models/student/infer', { body: floats({ x: some }) });

/** Until the shadow has answered, or not, as many samples. */
async function settled(server: Served, samples: number): Promise<void> {
  const all = (): number => Object.values(counts(server)).reduce((sum, count) => sum + count, 0);
  while (all() < samples) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a shadow', () => {
  it.each([
    ['with its classes in the same order', [0, 1, 2]],
    ['with its classes in another order', [2, 0, 1]],
  ])('answers too, %s, and what it says otherwise becomes a data set', async (_name, order) => {
    expect(differing.length).toBeGreaterThan(2);
    const kept = path.join(folder(), 'kept');
    const keep = { folder: kept, mostBytes: 1e6 };
    await withShadow(
      { keep },
      async (server) => {
        expect((await infer(server, rows)).status).toBe(200);
        await settled(server, rows.length);
        const disagree = differing.length;
        expect(counts(server)).toEqual({ agree: rows.length - disagree, disagree, dropped: 0, failed: 0 });
        const text = (await ask(server, '/metrics')).body.toString('utf8');
        expect(text).toContain(`limbeck_serve_shadow_samples_total{model="student",result="disagree"} ${disagree}`);
        expect(text).toContain(`limbeck_serve_shadow_kept{model="student"} ${disagree}`);
      },
      { order },
    );
    const files = { samples: path.join(kept, 'samples.npy'), labels: path.join(kept, 'labels.npy') };
    const split = await readNpz(files, { layout: undefined });
    expect([...split.samples]).toEqual([...Float32Array.from(differing.flat())]);
    expect([...split.labels.values]).toEqual(differing.map((row) => best(classified(row, 1))));
    const { shape, body } = parseNpy(await readFile(path.join(kept, 'logits.npy')), 'logits.npy');
    expect(shape).toEqual([differing.length, 3]);
    const logits = new Float32Array(new Uint8Array(body).buffer);
    differing.flatMap((row) => classified(row, 1)).forEach((value, i) => expect(logits[i]).toBeCloseTo(value, 4));

    // A recipe beside them reads all three, and has every class of the model.
    const { recipe } = await loadRecipe(path.join(kept, 'recipe.yaml'));
    const { train } = await loadDataset(recipe.dataset);
    expect(train.classNames).toEqual(['cat', 'dog', 'hen']);
    const stored = await storedLogits((await readStoredLogits(recipe.teacher!.logits!)).content, 'logits.npy', train);
    expect(stored.accuracy).toBe(1);

    // It goes on where it was, in its own order of classes, though the model is now another.
    await withShadow(
      { keep },
      async (server) => {
        await infer(server, differing);
        await settled(server, differing.length);
      },
      { order, own: [1, 2, 0] },
    );
    const labels = differing.map((row) => best(classified(row, 1)));
    expect([...(await readNpz(files, { layout: undefined })).labels.values]).toEqual([...labels, ...labels]);
  });

  it('is not asked while it is busy, and asks nothing of those who wait', async () => {
    await withShadow({}, async (server) => {
      const answers = await Promise.all(rows.map((row) => infer(server, [row])));
      expect(answers.map(({ status }) => status)).toEqual(rows.map(() => 200));
      await settled(server, rows.length);
      const { dropped, agree, disagree, failed } = counts(server);
      expect(failed).toBe(0);
      expect(agree + disagree).toBeGreaterThan(0);
      expect(dropped).toBeGreaterThan(0);
    });
  });

  it('is asked a share of the requests', async () => {
    await withShadow({ share: 0.25 }, async (server) => {
      for (let i = 0; i < 80; i++) await infer(server, [rows[i % rows.length]!]);
      const all = Object.values(counts(server)).reduce((sum, count) => sum + count, 0);
      expect(all).toBeGreaterThan(8);
      expect(all).toBeLessThan(35);
    });
  });

  it('says whose it is, and is one for the same question', async () => {
    await expect(withShadow({}, () => Promise.resolve(), { models: ['student.onnx', 'other.onnx'] })).rejects.toThrow(
      /several models are served/,
    );
    const { writeFile } = await import('node:fs/promises');
    const teacher = path.join(folder(), 'other.onnx');
    await writeFile(teacher, sumAndDifference());
    await expect(serving({ 'student.onnx': classifier() }, { shadow: { teacher, share: 1 } })).rejects.toThrow(
      /other.onnx: its input \[.*\] and \[.*\] is not that of the model that it is to shadow/,
    );
  });
});

describe('a transfer set', () => {
  const form = { sampleShape: [2, 2, 1], dtype: 'uint8', classes: 3 } as const;
  const one = { sample: Uint8Array.of(1, 2, 3, 4), label: 2, logits: Float32Array.of(0, 1, 2) };

  const fail = (why: string): never => {
    throw new Error(why);
  };

  it('is bounded', async () => {
    const set = await TransferSet.open(folder(), form, 3 * (4 + 8 + 12));
    expect([1, 2, 3, 4, 5].map(() => set.add(one, fail))).toEqual([true, true, true, false, false]);
    await set.close();
    expect((await stat(path.join(folder(), 'samples.npy'))).size).toBe(128 + 3 * 4);
    const [samples, labels] = ['samples', 'labels'].map((name) => path.join(folder(), `${name}.npy`));
    const split = await readNpz({ samples: samples!, labels: labels! }, { layout: 'nhwc' });
    expect(split.sampleShape).toEqual([2, 2, 1]);
    expect([...split.labels.values]).toEqual([2, 2, 2]);
  });

  it('does not mix samples of another form in', async () => {
    await (await TransferSet.open(folder(), form, 1e6)).close();
    await expect(TransferSet.open(folder(), { ...form, dtype: 'float32' }, 1e6)).rejects.toThrow(
      /samples.npy: it holds other arrays than \[count, 2, 2, 1\] of <f4/,
    );
  });

  it('takes no samples of another form once it is open', async () => {
    const set = await TransferSet.open(folder(), form, 1e6);
    set.requireForm({ ...form, sampleShape: [2, 2, 1] });
    for (const other of [{ dtype: 'float32' }, { sampleShape: [4, 1, 1] }, { classes: 4 }] as const)
      expect(() => set.requireForm({ ...form, ...other })).toThrow(
        /: it holds samples of uint8 \[2, 2, 1\] of 3 classes, and the model now has (float32|uint8) \[.*\] of [34] classes$/,
      );
    await set.close();
  });
});

describe('what a teacher is fed', () => {
  const known = (shape: readonly number[], prepared?: object) => {
    const inputs: TensorSpec[] = [{ name: 'x', dtype: 'float32', shape: ['batch', ...shape] }];
    const facts = { inputs, outputs: [], batching: { kind: 'any' }, cost: [], notes: [] } as const;
    const metadata = new Map(prepared === undefined ? [] : [['preprocessing', JSON.stringify({ shape, ...prepared })]]);
    return { facts, metadata };
  };
  const unit = { scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] };
  const pixels = Uint8Array.from({ length: 24 }, (_, i) => 10 * i);
  const fed = Float32Array.from(pixels, (value) => value / 255);

  it('is what the samples were, prepared as its own file says', () => {
    const own = { scale: 1 / 255, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.1] };
    const { toTeacher, toRaw, rawDtype, isGuess } = translationOf(
      known([2, 2, 3], unit),
      known([2, 2, 3], own),
      't.onnx',
    );
    expect([rawDtype, isGuess]).toEqual(['uint8', false]);
    expect([...toRaw(fed)]).toEqual([...pixels]);
    toTeacher(fed).forEach((value, i) => {
      expect(value).toBeCloseTo((pixels[i]! / 255 - own.mean[i % 3]!) / own.std[i % 3]!, 5);
    });
  });

  it('has its channels first where its input has', () => {
    const { toTeacher, shape, isGuess } = translationOf(known([2, 2, 3], unit), known([3, 2, 2]), 't.onnx');
    expect([shape, isGuess]).toEqual([[3, 2, 2], true]);
    const first = [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11];
    expect([...toTeacher(fed)]).toEqual([...first, ...first.map((at) => at + 12)].map((at) => fed[at]));
  });

  it('is prepared as its own file says where its channels come first too', () => {
    const own = { scale: 1 / 255, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.1], layout: 'nchw', shape: [2, 3, 3] };
    const pixels = Float32Array.from({ length: 18 }, (_, i) => 14 * i);
    const student = known([2, 3, 3], unit);
    const { toTeacher, shape, isGuess } = translationOf(student, known([3, 2, 3], own), 't.onnx');
    expect([shape, isGuess]).toEqual([[3, 2, 3], false]);
    const given = toTeacher(pixels.map((value) => value / 255));
    for (let c = 0; c < 3; c++)
      for (let at = 0; at < 6; at++)
        expect(given[6 * c + at]).toBeCloseTo((pixels[3 * at + c]! / 255 - own.mean[c]!) / own.std[c]!, 5);
  });

  it('is a guess where the model itself does not say how its input is prepared', () => {
    expect(translationOf(known([2, 2, 3]), known([2, 2, 3], unit), 't.onnx').isGuess).toBe(true);
    const first = { ...unit, layout: 'nchw', shape: [2, 2, 3] };
    const { toTeacher, isGuess } = translationOf(known([3, 2, 2], first), known([3, 2, 2], first), 't.onnx');
    expect(isGuess).toBe(true);
    expect([...toTeacher(fed)]).toEqual([...fed]);
  });

  it.each([
    [
      'text',
      [5],
      { tokenizer: 'bytes', texts: 1, length: 5, truncate: 'end', vocabulary: 257, padding: 0 },
      { vocabulary: 9 },
      true,
    ],
    ['sound', [5, 1], { rate: 16_000 }, { rate: 8000 }, false],
    ['columns', [2], [{ name: 'a', words: ['x', 'y'] }], [{ name: 'a', words: ['y', 'x'] }], false],
  ])('is refused where the same numbers mean another %s', (key, shape, own, other, needsBoth) => {
    const model = (value?: object) => {
      const [mean, std] = [0, 1].map((value) => new Array<number>(shape.at(-1)!).fill(value));
      const { facts, metadata } = known(shape, { scale: 1, mean, std });
      if (value !== undefined) metadata.set(key, JSON.stringify(value));
      return { facts, metadata };
    };
    const changed = Array.isArray(other) ? other : Object.assign({}, own, other);
    expect(translationOf(model(own), model(own), 't.onnx').isGuess).toBe(false);
    const message = /^t\.onnx: its metadata say other things of (texts|sounds|columns) than those of the model/;
    expect(() => translationOf(model(own), model(changed), 't.onnx')).toThrow(message);
    if (key === 'columns') expect(() => translationOf(model(), model(own), 't.onnx')).toThrow(message);
    if (needsBoth) expect(() => translationOf(model(own), model(), 't.onnx')).toThrow(message);
    else expect(translationOf(model(own), model(), 't.onnx').isGuess).toBe(true);
  });
});
