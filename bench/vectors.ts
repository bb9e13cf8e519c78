/**
 * Students of pictures that learn the vectors of EfficientNet-Lite0 with weights of ImageNet, without labels, beside twins that learn from labels alone:
 *
 *     npm run bench:vectors -- [--python PYTHON] [--only fashion-mnist,emoji] [--emoji FOLDER] [--samples 15000] [--epochs 6,30] [--out checkpoints/vectors]
 *
 * PYTHON has bench/vectors/requirements.txt. FOLDER holds the npm packages emoji-datasource-google and -twitter 16.0.0, unpacked, as folders of these
 * names; npm fetches them (136 MB) if they are missing. Of Fashion-MNIST `samples` pictures are train and validation, and the twin has 10 labels a
 * class. Of emoji, Google's pictures are train, variants in tones of skin too. One
 * twin has 10 labels of each of 99 kinds (subcategories), the other the code point of every picture. Validation and test are base emoji of both makers,
 * test with other code points than validation. The last rows are the recall@1 across makers: the share of Twitter's pictures of test whose nearest one
 * of Google's has the same code point; the last lines compare them picture by picture (McNemar).
 */
import '../src/features.ts';
import { unitVectors, vectorCount } from '../src/base/math/vectors.ts';
import type { Vectors } from '../src/base/math/vectors.ts';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'fflate';
import sharp from 'sharp';
import { mean } from '../src/base/math/statistics.ts';
import { pairedTest } from '../src/measure/paired-test.ts';
import { parseNpy } from '../src/base/numpy.ts';
import { npySamples } from '../src/data/readers/numpy/npy.ts';
import { runRecipe } from '../src/run/run.ts';
import { makeRecipe } from '../src/setup/make-recipe.ts';
import { eachQuery, nearestOf } from '../src/answers/vector/neighbours.ts';
import { writeVectors } from '../src/answers/vector/tools/vectors.ts';
import { findPython, jsonOf, table } from './processes.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    only: { type: 'string', default: 'fashion-mnist,emoji' },
    emoji: { type: 'string' },
    samples: { type: 'string', default: '15000' },
    epochs: { type: 'string', default: '6,30' },
    out: { type: 'string', default: 'checkpoints/vectors' },
  },
});
const folder = path.resolve(values.out);
const at = (...names: readonly string[]): string => path.join(folder, ...names);
mkdirSync(folder, { recursive: true });
const [fashionEpochs, emojiEpochs] = values.epochs.split(',').map(Number);
const rows: string[][] = [];

/** The teacher for pictures of a size: the classifier's file, of which the tensor before its last layer is the vector. */
async function teacherOf(size: number): Promise<{ readonly onnx: string } & object> {
  const python = findPython(values.python);
  if (python === undefined) throw new Error('--python: a Python with bench/vectors/requirements.txt');
  const onnx = at(`lite0-${size}.onnx`);
  const { output } = await jsonOf(python, ['bench/vectors/teacher.py', onnx, String(size)]);
  const normalize = { mean: [0.498, 0.498, 0.498], std: [0.502, 0.502, 0.502] };
  const asked = { output, resize: [size, size], channels: 3, normalize };
  return { onnx, ...asked };
}

/** A run whose student learns from the teacher alone: with `alpha` 1 its labels weigh nothing. The labels are the twin's. */
async function trained(
  name: string,
  dataset: object,
  rest: Readonly<Record<string, unknown>> & { readonly distill: object },
): Promise<string> {
  const recipe = makeRecipe(
    {
      ...{ name, seed: 1, threads: 1, report: { latency: { seconds: 0 } }, quantize: { scheme: 'int8', maxDrop: 5 } },
      ...rest,
      dataset: { task: 'embedding', dimensions: 128, ...dataset },
      distill: { ...(rest['teacher'] !== undefined && { loss: 'cosine', alpha: 1 }), ...rest.distill },
    },
    folder,
  );
  const { report, folder: run } = await runRecipe(recipe, { out: at('runs'), onEvent: print });
  for (const { id, params, sizeBytes, score } of report.models)
    rows.push([name, id, String(params), (sizeBytes / 1e3).toFixed(0), (100 * score.test!).toFixed(2), id === 'distilled' ? report.verdict!.result : '']); // prettier-ignore
  return run;
}

function print(event: { readonly type: string }): void {
  if (event.type !== 'progress' && event.type !== 'step') console.error(JSON.stringify(event).slice(0, 300));
}

async function fashion(samples: number, epochs: number): Promise<void> {
  const source = path.resolve('datasets/fashion-mnist');
  const part = { images: at('images-idx3-ubyte'), labels: at('labels-idx1-ubyte') };
  for (const [key, head, each] of [
    ['images', 16, 784],
    ['labels', 8, 1],
  ] as const) {
    // prettier-ignore
    const name = key === 'images' ? 'train-images-idx3-ubyte.gz' : 'train-labels-idx1-ubyte.gz';
    const bytes = Buffer.from(gunzipSync(readFileSync(path.join(source, name))).subarray(0, head + each * samples));
    bytes.writeUInt32BE(samples, 4);
    writeFileSync(part[key], bytes);
  }
  const test = { images: path.join(source, 't10k-images-idx3-ubyte.gz'), labels: path.join(source, 't10k-labels-idx1-ubyte.gz') }; // prettier-ignore
  const student = { model: 'ds-cnn', strides: [2, 1, 2] };
  const distill = {
    epochs,
    batchSize: 128,
    optimizer: { type: 'adamw', learningRate: 0.005, schedule: 'onecycle', weightDecay: 1e-4 },
  };
  const dataset = { type: 'idx', train: part, test, labelled: 100, dimensions: 64 };
  await trained('fashion-mnist', dataset, { repeats: 3, teacher: await teacherOf(64), student, distill });
}

interface Emoji {
  readonly unified: string;
  readonly image: string;
  readonly subcategory: string;
  readonly has_img_google: boolean;
  readonly has_img_twitter: boolean;
  readonly skin_variations?: Readonly<Record<string, Emoji>>;
}

const SHARE_OF_VALIDATION = 5;

/** Folders of pictures on white, a folder for each code point: Google's train, both makers' are validation and test. Returns code points and kinds. */
async function emojiFolders(): Promise<Readonly<Record<'codes' | 'kinds', readonly string[]>>> {
  const packages = path.resolve(values.emoji ?? at('packages'));
  const of = (maker: string): string => path.join(packages, `emoji-datasource-${maker}`);
  for (const maker of ['google', 'twitter']) {
    if (existsSync(of(maker))) continue;
    mkdirSync(of(maker), { recursive: true });
    const [file] = execFileSync('npm', ['pack', '--silent', `emoji-datasource-${maker}@16.0.0`], { cwd: packages, encoding: 'utf8' }).split('\n'); // prettier-ignore
    execFileSync('tar', ['xzf', file!, '-C', of(maker), '--strip-components=1']);
  }
  const all = JSON.parse(readFileSync(path.join(of('google'), 'emoji.json'), 'utf8')) as Emoji[];
  const drawn = all.filter((one) => one.has_img_google && one.has_img_twitter);
  const put = async (maker: string, { image }: Emoji, ...to: readonly string[]): Promise<void> => {
    const out = at('emoji', ...to, `${maker}-${image}`);
    if (existsSync(out)) return;
    mkdirSync(path.dirname(out), { recursive: true });
    await sharp(path.join(of(maker), 'img', maker, '64', image))
      .flatten({ background: '#fff' })
      .png()
      .toFile(out);
  };
  for (const [place, emoji] of drawn.entries()) {
    const { unified: code, skin_variations: tones = {} } = emoji;
    for (const one of [emoji, ...Object.values(tones)].filter(({ has_img_google: isDrawn }) => isDrawn)) {
      await put('google', one, 'train', code);
      await put('google', one, 'kinds', emoji.subcategory);
    }
    const split = place % SHARE_OF_VALIDATION === 0 ? 'validation' : 'test';
    for (const maker of ['google', 'twitter']) await put(maker, emoji, split, code);
    if (split === 'test') for (const maker of ['google', 'twitter']) await put(maker, emoji, maker, code);
  }
  const kinds = new Set(drawn.map(({ subcategory }) => subcategory));
  return { codes: drawn.map(({ unified }) => unified).sort(), kinds: [...kinds] };
}

async function emoji(epochs: number): Promise<void> {
  const { codes, kinds } = await emojiFolders();
  const pictures = { type: 'image-folder', resize: [48, 48], channels: 3 };
  const augment = [{ randAugment: { operations: 1 } }, { shift: 3 }];
  const student = { model: 'ds-cnn', strides: [2, 1, 2] };
  const optimizer = { type: 'adamw', learningRate: 0.005, schedule: 'onecycle', weightDecay: 1e-4 };
  const distill = { epochs, batchSize: 64, arcface: 0.5, optimizer };
  const splits = { train: at('emoji/train'), validation: at('emoji/validation'), test: at('emoji/test') };
  const teacher = await teacherOf(96);
  const run = await trained(
    'emoji',
    { ...pictures, ...splits, classes: codes, augment },
    { teacher, student, distill },
  );
  const labelled = 10 * kinds.length;
  // As many steps as the others take.
  const passes = { ...distill, epochs: Math.round((epochs * 3786) / labelled) };
  const twin = await trained('emoji-kinds', { ...pictures, train: at('emoji/kinds'), test: at('emoji/kinds'), labelled, augment }, { student, distill: passes }); // prettier-ignore
  const models = {
    teacher: teacher.onnx,
    'twin, 10 labels a kind': path.join(twin, 'exports/scratch.onnx'),
    'twin, all code points': path.join(run, 'exports/scratch.onnx'),
    'distilled without labels': path.join(run, 'exports/distilled.onnx'),
    'the same in int8': path.join(run, 'exports/distilled-int8.onnx'),
  };
  const hits: Uint8Array[] = [];
  for (const [id, model] of Object.entries(models)) {
    const dimensions = id === 'teacher' ? 1280 : 128;
    const vectors: Vectors[] = [];
    for (const maker of ['google', 'twitter']) {
      const dataset = { ...pictures, task: 'embedding', dimensions, labelled: 0, train: at('emoji', maker), test: at('emoji', maker) }; // prettier-ignore
      const asked = makeRecipe({ name: maker, dataset, teacher, student: { model: 'mlp' } }, folder);
      const { file, size } = await writeVectors(model, asked, 'test', at(`${maker}.npy`));
      vectors.push({ values: npySamples(parseNpy(readFileSync(file), file)) as Float32Array, width: size });
    }
    hits.push(acrossMakers(vectors[0]!, vectors[1]!));
    rows.push(['emoji, across makers', id, '', '', (100 * mean([...hits.at(-1)!])).toFixed(2), '']);
  }
  for (const at of [1, 2]) {
    const onlyOne = (one: Uint8Array, other: Uint8Array): number => one.filter((hit, i) => hit > other[i]!).length;
    const [twin, distilled] = [hits[at]!, hits[3]!];
    const counts = { onlyFirst: onlyOne(distilled, twin), onlySecond: onlyOne(twin, distilled), samples: twin.length };
    const { difference, interval } = pairedTest(counts);
    const points = [difference, ...interval].map((value) => (100 * value).toFixed(1));
    process.stdout.write(
      `distilled beside ${Object.keys(models)[at]!}: ${points[0]!} points (95 %: ${points[1]!} to ${points[2]!})\n`,
    );
  }
}

/** For each vector of `queries` 1 if the nearest one among `gallery` has the same place, else 0. */
function acrossMakers(gallery: Vectors, queries: Vectors): Uint8Array {
  const hits = new Uint8Array(vectorCount(queries));
  const visit = (query: number, products: Float32Array): void => {
    hits[query] = nearestOf(products) === query ? 1 : 0;
  };
  eachQuery(unitVectors(gallery), visit, undefined, unitVectors(queries));
  return hits;
}

if (values.only.includes('fashion-mnist')) await fashion(Number(values.samples), fashionEpochs!);
if (values.only.includes('emoji')) await emoji(emojiEpochs!);
process.stdout.write(`${table(['data', 'model', 'parameters', 'kB', 'recall@1, %', 'verdict'], rows)}\n`);
