import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { models } from '../../src/networks/models/registry.ts';
import { runRecipe } from '../../src/run/run.ts';
import { refuseMissing } from '../../src/setup/runnable.ts';
import { parseRecipe } from '../../src/recipe/load.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyBytes } from '../support/npy.ts';
import { writeQuestions } from '../support/questions.ts';
import { wavFile } from '../support/sound.ts';
import { asJsonl, taggedSentences } from '../support/tags.ts';
import { ofToday } from '../support/today.ts';
import { wordPieces } from '../support/tokenizer.ts';

const folder = temporaryFolder();
const RECIPES = path.join(ROOT, 'recipes');
const FIRST = 100;

/** The first pictures of Fashion-MNIST, so that no recipe unpacks all of them again. */
let first = '';

beforeAll(async () => {
  first = await mkdtemp(path.join(tmpdir(), 'limbeck-first-'));
  for (const split of ['train', 't10k'])
    for (const [kind, header, size] of [
      ['images-idx3', 16, 28 * 28],
      ['labels-idx1', 8, 1],
    ] as const) {
      const all = gunzipSync(await readFile(path.join(ROOT, `datasets/fashion-mnist/${split}-${kind}-ubyte.gz`)));
      const some = Buffer.from(all.subarray(0, header + FIRST * size));
      some.writeUInt32BE(FIRST, 4);
      await writeFile(path.join(first, `${split}-${kind}-ubyte`), some);
    }
});
afterAll(() => rm(first, { recursive: true }));

const firstOf = (split: string, name: string): string[] => [
  `dataset.${split}.images=${path.join(first, `${name}-images-idx3-ubyte`)}`,
  `dataset.${split}.labels=${path.join(first, `${name}-labels-idx1-ubyte`)}`,
];

/** Two steps for each student on a handful of samples. */
const SHORT = [
  'dataset.limit=40',
  'distill.batchSize=20',
  'distill.epochs=1',
  'repeats=1',
  'report.latency.seconds=0',
  'threads=1',
];
/** A teacher must be better than chance, which takes a few more. */
const SHORT_TEACHER = ['teacher.train.batchSize=20', 'teacher.train.epochs=5'];
/** Better than the mean of the labels, which takes more steps than better than a guess among classes. */
const NUMBERS_TEACHER = ['teacher.train.batchSize=4', 'teacher.train.epochs=20', 'dataset.validation=0.5'];

/** Low and high tones in place of words, for each of these keys. */
async function spoken(keys: readonly string[]): Promise<string[]> {
  const at = path.join(folder(), 'spoken');
  for (const [name, hertz] of Object.entries({ low: 300, high: 2500 })) {
    await mkdir(path.join(at, name), { recursive: true });
    for (let i = 0; i < 25; i++) {
      const values = Array.from({ length: 16_000 }, (_, t) => 0.3 * Math.sin((hertz + 8 * i) * t * 3.9e-4));
      await writeFile(path.join(at, name, `${i}.wav`), wavFile(values));
    }
  }
  return [...keys.map((key) => `dataset.${key}=${at}`), 'quantize=[]'];
}

/** What more to change by recipe: data of the format of those that are not in the repository, and less of what takes long. */
const STAND_INS: Record<string, () => Promise<string[]>> = {
  // A target has its students timed, however short.
  'fashion-mnist-search.yaml': () =>
    Promise.resolve(['target.widths=[1]', 'target.amounts=[0,0.5]', 'target.rounds=1', 'report.latency.seconds=0.1']),
  'fashion-mnist-few-labels.yaml': () => Promise.resolve(['dataset.labelled=20']),
  // Principal axes of the teacher's vectors are found on the validation samples, of which there are ten.
  'fashion-mnist-vectors.yaml': () =>
    Promise.resolve(['dataset.labelled=20', 'dataset.dimensions=8', 'dataset.prefixes=[4]', 'quantize=[]']),
  'emoji-detection.yaml': () => Promise.resolve(['quantize=[]', 'outputs=logits']),
  'segments.yaml': () => Promise.resolve(['quantize=[]', 'export=[onnx]']),
  'quantize-ds-cnn.yaml': () => Promise.resolve(['export=[onnx]']),
  'quantize-resnet8.yaml': () => Promise.resolve(['export=[onnx]']),
  'keywords.yaml': () => spoken(['train', 'unlabelled', 'validation', 'test']),
  'speech-commands.yaml': () => spoken(['train', 'validation', 'test']),
  'banking77.yaml': async () => {
    const { train, test, tokenizer } = await writeQuestions(path.join(folder(), 'questions'));
    // Kinds that a few steps tell apart need more than a handful of samples.
    const enough = ['dataset.limit=120', 'teacher.train.epochs=10'];
    return [`dataset.train=${train}`, `dataset.test=${test}`, `dataset.text.tokenizer=${tokenizer}`, ...enough];
  },
  'restaurants.yaml': async () => {
    const at = path.join(folder(), 'sentences.jsonl');
    // Of fewer sentences no teacher learns an entity.
    const sentences = taggedSentences(300, 'recipes');
    await writeFile(at, asJsonl(sentences));
    const tokenizer = path.join(folder(), 'tokenizer.json');
    const words = sentences.flatMap(({ tokens }) => tokens.map((token) => token.toLowerCase()));
    await writeFile(tokenizer, JSON.stringify(wordPieces(words)));
    return [
      `dataset.train=${at}`,
      `dataset.test=${at}`,
      `dataset.text.tokenizer=${tokenizer}`,
      'dataset.limit=300',
      'quantize=[]',
    ];
  },
  'content-types.yaml': async () => {
    const rows = Array.from({ length: 50 }, (_, i) =>
      i % 2 === 0
        ? { text: `import x${i} from 'y';`, label: 'javascript' }
        : { text: `def f${i}(x): pass`, label: 'python' },
    );
    const at = path.join(folder(), 'types.jsonl');
    const logits = path.join(folder(), 'types.npy');
    await writeFile(at, rows.map((row) => JSON.stringify(row)).join('\n'));
    await writeFile(
      logits,
      npyBytes([50, 2], Float32Array.from(rows.flatMap((_, i) => (i % 2 === 0 ? [4, 0] : [0, 4])))),
    );
    return [`dataset.train=${at}`, `dataset.test=${at}`, `teacher.logits=${logits}`, 'quantize=[]'];
  },
  // Few of a handful would have a label.
  'watch-exercises.yaml': () => Promise.resolve(['dataset.labelled=900', 'quantize=[]']),
  'next-words-teacher.yaml': () =>
    Promise.resolve(['dataset.limit=400', 'teacher.train.epochs=3', 'teacher.train.batchSize=8']),
  'watch-exercises-teacher.yaml': () => Promise.resolve(['dataset.limit=400', 'teacher.train.epochs=4']),
  'wordnet-pairs.yaml': () =>
    Promise.resolve(['dataset.limit=400', 'dataset.labelled=8000', 'teacher.train.epochs=10', 'quantize=[]']),
  'cifar100-resnet32x4-8x4.yaml': async () => {
    const at = path.join(folder(), 'cifar-100-binary');
    await mkdir(at);
    // A coarse label, a fine one, 3,072 bytes of pixels. Two of the 100 classes: what two steps can learn.
    const record = (_: unknown, i: number): Buffer =>
      Buffer.alloc(3074, (i * 89) % 256)
        .fill(0, 0, 1)
        .fill(i % 2, 1, 2);
    const write = (name: string, count: number): Promise<void> =>
      writeFile(path.join(at, name), Buffer.concat(Array.from({ length: count }, record)));
    await Promise.all([write('train.bin', 40), write('test.bin', 20)]);
    // As deep as its student, the teacher takes seconds instead of a minute.
    const teacher = ['depth=8', 'batchSize=6', 'epochs=1'].map((change) => `teacher.train.${change}`);
    const small = ['dataset.limit=12', 'distill.batchSize=6', ...teacher];
    return [`dataset.train=${at}`, `dataset.test=${at}`, ...small];
  },
};

const all = (await readdir(RECIPES)).filter((name) => name.endsWith('.yaml')).sort();
const names = ofToday(all, Math.ceil(all.length / 2));

it.each(names)('%s runs to its end, two steps for each student', async (name) => {
  const file = path.join(RECIPES, name);
  const text = await readFile(file, 'utf8');
  const { teacher: given, dataset } = parseRecipe(text, file).recipe;
  const teaching = dataset.task === 'regression' ? NUMBERS_TEACHER : SHORT_TEACHER;
  const short = [...SHORT, ...(given?.train === undefined ? [] : teaching)];
  const idx = /type: idx/.test(text) ? [...firstOf('train', 'train'), ...firstOf('test', 't10k')] : [];
  const set = [...short, ...idx, ...((await STAND_INS[name]?.()) ?? [])];
  const loaded = parseRecipe(text, file, { models, set });
  refuseMissing(loaded.recipe);
  const { report } = await runRecipe(loaded, { out: folder() });
  const { teacher, student } = loaded.recipe;
  expect(report.status).toBe('complete');
  const ids = report.models.map(({ id }) => id);
  // Stored logits are answers to train alone.
  if (teacher !== undefined && teacher.logits === undefined) expect(ids).toContain('teacher');
  if (student !== undefined) expect(ids).toContain('distilled');
});
