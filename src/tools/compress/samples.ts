import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { asUserError, readBytes, writeFileAtomic } from '../../base/files.ts';
import { argMax } from '../../base/numbers.ts';
import type { OnProgress } from '../../base/progress.ts';
import { checkFinite } from '../../data/splits/checks.ts';
import type { Dataset, Samples } from '../../data/dataset.ts';
import { sharedFloats } from '../../data/dataset.ts';
import { ImageSink } from '../../data/pictures/images.ts';
import { Room } from '../../data/storage/memory-budget.ts';
import { DEFAULT_STRIDE } from '../../data/load.ts';
import { normalizationOf } from '../../data/normalize.ts';
import { parseNpy } from '../../base/numpy.ts';
import { npyBytes, npyLabels, npySamples } from '../../data/readers/numpy/npy.ts';
import type { NpyArray } from '../../base/numpy.ts';
import { npyEntries } from '../../data/readers/numpy/zip.ts';
import { openFile } from '../../distill/teachers/open.ts';
import { plainLogits } from '../../distill/preflight/preflight.ts';
import type { RecipeInput } from '../../recipe/schema.ts';
import { DEFAULT_TASK, taskRow } from '../../recipe/task.ts';
import { engineOf } from '../../setup/engine.ts';
import { loadRunnable } from '../../setup/runnable.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { ONLY_CLASSES } from './model.ts';
import type { AnswersWithin, CompressedModel } from './model.ts';
import { loadTask } from '../../tasks/registry.ts';

type DatasetInput = RecipeInput['dataset'];
type Normalize = NonNullable<DatasetInput['normalize']>;

export interface SamplesOptions {
  /** A recipe, a folder of pictures, or arrays in the form of the model's input. */
  readonly data: string;
  /** Normalization that the model was trained with, for values of pictures. */
  readonly normalize?: Normalize | undefined;
  /** Folder for the samples and the model's labels for them. */
  readonly folder: string;
  readonly onProgress?: OnProgress | undefined;
}

function isRecipe(data: string): boolean {
  return /\.(ya?ml|json)$/.test(data);
}

/** Part of a picture that the data ask about, if they are a recipe for masks or boxes. */
export async function askedWithin(data: string): Promise<AnswersWithin | undefined> {
  if (!isRecipe(data)) return undefined;
  const { task, stride = DEFAULT_STRIDE } = (await loadRunnable(data)).recipe.dataset;
  const per = taskRow(task).answersPer;
  return per === 'pixel' ? { per, stride } : per === 'point' ? { per } : undefined;
}

/** The `dataset` of the recipe. Samples without labels get the model's answers as labels. */
export async function datasetOf(model: CompressedModel, options: SamplesOptions): Promise<DatasetInput> {
  const { data, normalize } = options;
  if (isRecipe(data)) {
    refuse(normalize, data);
    const { dataset } = (await loadRunnable(data)).recipe;
    const { hasClasses, answersPer } = taskRow(dataset.task);
    if (hasClasses || answersPer === 'pixel' || answersPer === 'point') return { ...dataset };
    throw new UserError(
      `${data}: dataset.task: expected classification, segmentation or detection, received ${dataset.task}`,
      ONLY_CLASSES,
    );
  }
  const found = await stat(data).catch((error: unknown) => {
    throw asUserError(error, data, 'read');
  });
  if (found.isDirectory()) return ofFolder(model, options);
  if (!/\.np[yz]$/.test(data))
    throw new UserError(
      `--data: expected a recipe (.yaml), a folder of pictures, or arrays of inputs (.npz, .npy), received ${data}`,
      'Name one of those: it is what the model is compressed on.',
    );
  refuse(normalize, data);
  return ofArrays(model, options);
}

function refuse(normalize: Normalize | undefined, data: string): void {
  if (normalize === undefined) return;
  throw new UserError(
    `--mean and --std: expected them beside a folder of pictures, received ${data}`,
    'A recipe says it itself (dataset.normalize); arrays hold inputs as the model is fed.',
  );
}

/** Mean and deviation for every channel; `UserError` for another number of them. */
function perChannel(normalize: Normalize | undefined, channels: number): Normalize | undefined {
  if (typeof normalize !== 'object') return normalize;
  const all = (option: string, given: number | readonly number[]): number[] => {
    const values = typeof given === 'number' ? [given] : [...given];
    if (values.length !== 1 && values.length !== channels)
      throw new UserError(
        `${option}: expected one number, or ${channels} for pictures of ${channels} ${channels === 1 ? 'channel' : 'channels'}, received ${values.length}`,
        'Give what the pictures were normalized with in training.',
      );
    return values.length === channels ? values : new Array<number>(channels).fill(values[0]!);
  };
  return { ...normalize, mean: all('--mean', normalize.mean), std: all('--std', normalize.std) };
}

/** Minimum number of samples for a validation split of a tenth and a test split of a fifth. */
const FEWEST = 10;

function refuseFew(count: number, where: string): void {
  if (count >= FEWEST) return;
  throw new UserError(
    `${where}: expected at least ${FEWEST} samples to train, validate and test on, received ${count}`,
    'Give as many as there are: some hundreds at least for a result that can be trusted.',
  );
}

/** The sub-folders are classes if there are as many as the model has; otherwise only the pictures are used. */
async function ofFolder(model: CompressedModel, options: SamplesOptions): Promise<DatasetInput> {
  const { data } = options;
  const { file, sampleShape, classes } = model;
  const [height, width, channels] = sampleShape;
  if (height === undefined || width === undefined || (channels !== 1 && channels !== 3))
    throw new UserError(
      `--data: expected samples [${sampleShape.join(', ')}] for ${file}, received a folder of pictures`,
      'Give arrays of inputs as the model is fed: .npz or .npy.',
    );
  const normalize = perChannel(options.normalize, channels) ?? model.stated ?? 'unit';
  const image: { resize: [number, number]; channels: 1 | 3 } = { resize: [height, width], channels };
  const folders = (await readdir(data, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  if (folders.length === classes)
    return {
      type: 'image-folder',
      train: path.resolve(data),
      testFraction: TEST,
      normalize,
      ...image,
      ...inOrder(model, new Set(folders.map(({ name }) => name))),
    };
  const all = await readdir(data, { recursive: true });
  const names = all.filter((name) => /\.(png|jpe?g|webp)$/i.test(name)).sort();
  if (names.length === 0)
    throw new UserError(`--data: ${data} holds no pictures`, 'Files that end in .png, .jpg, .jpeg, .webp are read.');
  refuseFew(names.length, data);
  new Room().demand(
    names.length * height * width * channels,
    `--data: ${names.length} pictures of ${height}x${width}`,
    'Give fewer pictures: a few thousand are enough.',
  );
  const sink = new ImageSink(image, names.length, { room: new Room(Infinity) });
  await sink.addFiles(names.map((name) => path.join(data, name)));
  return labelled(model, { samples: sink.held(data).samples, sampleShape, normalize, layout: 'nhwc' }, options);
}

/** Arrays in the form of the model's input: in an archive `x`, the only array, or the array named like the input; labels, if any, are `y`. */
async function ofArrays(model: CompressedModel, options: SamplesOptions): Promise<DatasetInput> {
  const { data } = options;
  const arrays = new Map<string, NpyArray>();
  if (data.endsWith('.npz')) {
    for (const [name, content] of Object.entries(await npyEntries(data)))
      arrays.set(name.slice(0, -'.npy'.length), parseNpy(content, `${data}: ${name}`));
  } else arrays.set('x', parseNpy(await readBytes(data), data));
  const candidates = [...arrays].filter(([name]) => name !== 'y');
  const [key, array] =
    candidates.find(([name]) => name === 'x' || name === model.input) ??
    (candidates.length === 1 ? candidates[0]! : []);
  if (key === undefined || array === undefined)
    throw new UserError(
      `${data}: expected an array ${[...new Set([model.input, 'x'])].join(' or ')}, received ${[...arrays.keys()].join(', ') || 'none'}`,
      `Write it with numpy.savez('samples.npz', x=inputs), with y=labels beside it if they are known.`,
    );
  const [count, ...own] = array.shape;
  if (own.join() !== model.fed.join() || count === undefined || count === 0)
    throw new UserError(
      `${array.where}: expected an array [samples, ${model.fed.join(', ')}], as the input ${model.input} of ${model.file} is, received [${array.shape.join(', ')}]`,
      'Save the inputs as the model is fed: layout, size and normalization included.',
    );
  refuseFew(count, array.where);
  const layout = model.fed.join() === model.sampleShape.join() ? ('nhwc' as const) : ('nchw' as const);
  const labels = arrays.get('y');
  if (labels !== undefined)
    return {
      type: 'npz',
      train: { file: path.resolve(data), samples: key, labels: 'y' },
      testFraction: TEST,
      normalize: 'none',
      ...(own.length === 3 && { layout }),
      // Integer labels are indexes of the model's outputs.
      ...(/^[US]/.test(labels.code) ? inOrder(model, wordsIn(labels)) : { classes: namesOf(model) }),
    };
  const samples = npySamples(array);
  checkFinite({ source: array.where, samples, sampleShape: own });
  return labelled(
    model,
    { samples: arranged(samples, model), sampleShape: model.sampleShape, normalize: 'none', layout: 'nhwc' },
    options,
  );
}

/** Samples with channels last, as in data sets. */
function arranged(samples: Samples, { fed, sampleShape }: CompressedModel): Samples {
  if (fed.join() === sampleShape.join()) return samples;
  const [height, width, channels] = sampleShape as [number, number, number];
  const [size, pixels] = [height * width * channels, height * width];
  const out = sharedFloats(samples.length);
  for (let i = 0; i < out.length; i++) {
    const [at, c] = [i % size, i % channels];
    out[i] = samples[i - at + c * pixels + (at - c) / channels]!;
  }
  return out;
}

const TEST = 0.2;

/** The `teacher.normalize` with which the model gets the student's input, whatever its file states; undefined for the data set's own. */
export function askedAs(normalize: DatasetInput['normalize']) {
  if (normalize === 'none') return { scale: 1, mean: 0, std: 1 };
  if (normalize === 'unit') return { scale: 1 / 255, mean: 0, std: 1 };
  return typeof normalize === 'object' ? normalize : undefined;
}

/** Class names in the order that the model states; otherwise sorted, as the model must have been trained. */
function inOrder({ labels }: CompressedModel, names: ReadonlySet<string>): { classes?: string[] } {
  const isStated = labels?.length === names.size && labels.every((label) => names.has(label));
  return isStated ? { classes: [...labels] } : {};
}

function wordsIn(labels: NpyArray): ReadonlySet<string> {
  const read = npyLabels(labels);
  return new Set(read.kind === 'name' ? read.names : []);
}

function namesOf({ classes }: CompressedModel): string[] {
  return Array.from({ length: classes }, (_, i) => String(i));
}

interface Unlabelled {
  readonly samples: Samples;
  readonly sampleShape: readonly number[];
  readonly normalize: Normalize;
  readonly layout: 'nhwc';
}

/** Writes the samples to the folder as arrays, with the model's answers as labels. */
async function labelled(
  model: CompressedModel,
  { samples, sampleShape, normalize, layout }: Unlabelled,
  { folder, onProgress }: SamplesOptions,
): Promise<DatasetInput> {
  refuseNumber(model);
  await loadTask();
  const classNames = namesOf(model);
  const count = samples.length / sampleShape.reduce((product, size) => product * size, 1);
  const ids = Int32Array.from({ length: count }, (_, i) => i);
  const normalization = normalizationOf(normalize, { samples }, sampleShape);
  const dataset: Dataset = {
    name: 'all',
    idPrefix: 'train',
    sampleShape,
    classNames,
    count,
    ids,
    samples,
    normalization,
    task: DEFAULT_TASK,
    targets: new Int32Array(count),
  };
  const place = { engine: 'auto', device: 'auto', threads: 0, stepsPerCall: undefined } as const;
  const short = path.basename(model.file);
  const teacher = { onnx: model.file, layout: 'auto', outputs: 'auto', intermediate: [] } as const;
  const opened = await openFile(
    { ...teacher, intermediate: [], normalize: askedAs(normalize) },
    { engine: await engineOf(place), session: sessionOptionsOf(place), dataset, name: () => short },
  );
  const logits = await plainLogits(opened.teacher, dataset, ids, { onProgress });
  await opened.teacher.dispose();
  const labels = Int32Array.from(ids, (row) => argMax(logits, row * model.classes, model.classes));
  refuseOne(labels, short);
  const [at, by] = [path.join(folder, 'samples.npy'), path.join(folder, 'labels.npy')];
  await writeFileAtomic(at, npyBytes([count, ...sampleShape], samples));
  await writeFileAtomic(by, npyBytes([count], labels));
  return {
    type: 'npz',
    train: { samples: path.resolve(at), labels: path.resolve(by) },
    testFraction: TEST,
    classes: classNames,
    labelledBy: short,
    normalize,
    ...(sampleShape.length === 3 && { layout }),
  };
}

/** `UserError` for a single logit without labels: it cannot be told from a regression, whose sign is no class. */
function refuseNumber({ file, one }: CompressedModel): void {
  if (one !== 'logit') return;
  throw new UserError(
    `${file}: answers with one number for each sample, which is the logit of two classes or a number to predict`,
    'Give labels of the two classes with the samples (`y` in the archive, or a recipe), or export the model with its sigmoid.',
  );
}

/**
 * `UserError` for samples that the model assigns to a single class: they do not show what it distinguishes, and are mostly not what it was trained
 * on.
 */
function refuseOne(labels: Int32Array, file: string): void {
  if (labels.some((label) => label !== labels[0])) return;
  throw new UserError(
    `${file}: gives all ${labels.length} samples the class ${labels[0]!}`,
    'Give samples as the model was trained on: check their normalization (--mean, --std), and that there are several kinds of them.',
  );
}
