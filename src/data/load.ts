import { UserError } from '../base/errors.ts';
import { checkFinite, checkSameKind } from './checks.ts';
import type { CommonConfig, DatasetConfig, TaskName } from './config.ts';
import { sizeOf } from './dataset.ts';
import type { Dataset, InputPart, RawSplit, Samples, TargetValues } from './dataset.ts';
import { normalizationOf, normalizationOfParts } from './normalize.ts';
import { drawStratified, partition, splitSize } from './split.ts';
import { fillMeans } from './table.ts';
import type { TargetReader } from './targets/reader.ts';
import { targetReader } from './targets/registry.ts';
import { openText } from './text/open.ts';
import type { OpenText } from './text/open.ts';
import { classWeights } from './weights.ts';

export interface LoadedDataset {
  readonly train: Dataset;
  readonly validation: Dataset;
  /** Undefined if the recipe names no test split and no `testFraction`; `warnings` says so. */
  readonly test: Dataset | undefined;
  readonly task: TaskName;
  /** Names of the model's outputs: the classes, or the label columns. */
  readonly classNames: readonly string[];
  /** [classes], if the recipe asks for class weights. */
  readonly classWeights: Float32Array | undefined;
  /** Oddities of the data that are no error, one sentence each. */
  readonly warnings: readonly string[];
}

type Part = 'train' | 'validation' | 'test';

/** Called with the texts of each sample, which are otherwise gone when their ids are there; `id` as `sampleId` names it. */
export type OnText = (id: string, texts: readonly string[]) => void;

/** Default share of train that becomes the validation split. */
const VALIDATION = 0.1;
/** Apart from the recipe's seed: a teacher and its students, of whatever seeds, must validate on the same samples. */
const SPLIT_SEED = 1;

const NO_TEST =
  'no test split: accuracies are those of the validation split, which the models were chosen on; set `test` or `testFraction`';

/**
 * Read a data set and split it. With the same files and `splitSeed` the splits are the same. Throws `UserError` for files that are
 * missing or broken, labels that are no class, samples of another shape than train's, and NaN or infinity in the data.
 */
export async function loadDataset(
  given: DatasetConfig,
  { onText, keepOriginals = false }: { readonly onText?: OnText | undefined; readonly keepOriginals?: boolean } = {},
): Promise<LoadedDataset> {
  const hasPictures = given.type === 'image-folder' || given.type === 'parquet';
  const config = hasPictures && keepOriginals ? { ...given, keepOriginals } : given;
  const { splitSeed = SPLIT_SEED, limit, task = 'classification' } = config;
  const reader = targetReader(config);
  if (config.test !== undefined && config.testFraction !== undefined) {
    throw new UserError(
      `testFraction: ${config.testFraction} given beside \`test\``,
      'Remove one of them: `test` names files, `testFraction` carves train.',
    );
  }
  const [trainRaw, validationRaw, testRaw] = await readSplits(config, onText);
  const others = [validationRaw, testRaw].filter((split) => split !== undefined);
  for (const split of others) checkSameKind(split, trainRaw);
  for (const split of [trainRaw, ...others]) checkFinite(split);

  const classNames = reader.names(trainRaw, config);
  const read = (name: Part, raw: RawSplit): Split =>
    splitOf(name, raw, reader.strata, reader.values(raw, classNames, config), reader.width(classNames));
  let train = read('train', trainRaw);
  let validation = validationRaw && read('validation', validationRaw);
  let test = testRaw && read('test', testRaw);
  if (config.testFraction !== undefined) {
    if (!(config.testFraction < 1)) {
      throw new UserError(
        `testFraction: expected a number between 0 and 1, received ${config.testFraction}`,
        'For example 0.1 for a tenth.',
      );
    }
    [train, test] = carve(train, 'test', config.testFraction, 'testFraction', splitSeed);
  }
  if (validation === undefined) {
    const amount = typeof config.validation === 'number' ? config.validation : VALIDATION;
    [train, validation] = carve(train, 'validation', amount, 'validation', splitSeed);
  }
  if (limit !== undefined) {
    [train, validation] = [limited(train, limit, splitSeed), limited(validation, limit, splitSeed)];
    test = test && limited(test, limit, splitSeed);
  }
  const splits = [train, validation, ...(test === undefined ? [] : [test])];
  if ([trainRaw, ...others].some((split) => split.fillWithMean === true)) {
    fillMeans(
      splits.map((split) => split.samples),
      train.rowSize,
    );
  }

  const { inputs, text } = trainRaw;
  if (inputs !== undefined && (config.augment ?? []).length > 0) refuseAugment(inputs);
  // A sound is fed as it is recorded: loudness is part of it.
  const usual = config.type === 'audio-folder' ? 'none' : undefined;
  const normalization =
    inputs === undefined
      ? normalizationOf(text === undefined ? (config.normalize ?? usual) : 'none', train.samples, trainRaw.sampleShape)
      : normalizationOfParts(config.normalize, train.samples, inputs);
  const scaling = reader.scaling?.(train.targets, train.width);
  const dataset = ({ name, idPrefix, samples, targets, ids }: Split): Dataset => {
    const { sampleShape } = trainRaw;
    const shared = { task, classNames, sampleShape, inputs, text, normalization, ...(scaling && { scaling }) };
    const originals = { train: trainRaw, validation: validationRaw, test: testRaw }[idPrefix]?.originals;
    return { ...(originals && { originals }), name, idPrefix, samples, targets, ids, count: ids.length, ...shared };
  };
  const warnings = [trainRaw, ...others].flatMap((split) => split.notes ?? []);
  warnings.push(...splits.flatMap((split) => reader.oddities(split.name, split.targets, classNames)));
  if (test === undefined) warnings.push(NO_TEST);
  return {
    train: dataset(train),
    validation: dataset(validation),
    test: test && dataset(test),
    task,
    classNames,
    classWeights:
      config.classWeights && classWeights(config.classWeights, train.targets as Int32Array, classNames.length),
    warnings,
  };
}

function refuseAugment(inputs: readonly InputPart[]): never {
  throw new UserError(
    `augment: expected none for samples of several inputs (${inputs.map(({ name }) => name).join(', ')})`,
    'Remove it: pictures are changed at random only where they are the only input.',
  );
}

interface Split {
  /** The files, for messages. */
  readonly source: string;
  readonly name: Part;
  readonly idPrefix: Part;
  readonly rowSize: number;
  readonly samples: Samples;
  readonly targets: TargetValues;
  /** Numbers of `targets` for each sample. */
  readonly width: number;
  readonly strata: (values: TargetValues) => Int32Array;
  readonly ids: Int32Array;
}

function splitOf(
  name: Part,
  raw: RawSplit,
  strata: TargetReader['strata'],
  targets: TargetValues,
  width: number,
): Split {
  const ids = raw.ids ?? Int32Array.from({ length: targets.length / width }, (_, i) => i);
  return {
    source: raw.source,
    name,
    idPrefix: name,
    rowSize: sizeOf(raw.sampleShape),
    samples: raw.samples,
    targets,
    width,
    strata,
    ids,
  };
}

/** Draw a part of `split`, stratified, in place. Its ids go on counting in the files they came from. */
function carve(split: Split, name: Part, amount: number, key: string, seed: number): [Split, Split] {
  const parts = draw(split, name, splitSize(key, amount, split.ids.length, split.source), seed, name);
  if (parts[1].ids.length === 0) {
    throw new UserError(
      `${key}: every class of ${split.source} has a single sample, none can be taken from it`,
      `Name files of their own as \`${name}\`, or add samples.`,
    );
  }
  return parts;
}

function limited(split: Split, limit: number, seed: number): Split {
  if (split.ids.length <= limit) return split;
  return draw(split, split.name, limit, seed, `limit ${split.name}`)[1];
}

/** Two splits made of `split`: what is left of it, and the part that was drawn. */
function draw(split: Split, name: Part, size: number, seed: number, purpose: string): [Split, Split] {
  const strata = split.strata(split.targets).subarray(0, split.ids.length);
  const classes = strata.reduce((max, label) => Math.max(max, label), 0) + 1;
  const rows = drawStratified(strata, classes, size, seed, purpose);
  const samples = partition(split.samples, split.rowSize, rows);
  const targets = partition(split.targets, split.width, rows);
  const ids = partition(split.ids, 1, rows);
  return [
    { ...split, samples: samples.kept, targets: targets.kept, ids: ids.kept },
    { ...split, name, samples: samples.drawn, targets: targets.drawn, ids: ids.drawn },
  ];
}

/** All splits at once; of several errors, train's comes first, whichever was found first. */
async function readSplits(
  config: DatasetConfig,
  onText?: OnText,
): Promise<[RawSplit, RawSplit | undefined, RawSplit | undefined]> {
  const parts: Part[] = ['train', 'validation', 'test'];
  const stated = 'text' in config ? config.text : undefined;
  const named = config.type === 'text-folder' ? (stated ?? {}) : stated;
  const text = named && (await openText(named));
  const textOf = (part: Part): OpenText | undefined =>
    text && { ...text, onText: onText && ((row, texts) => onText(`${part}/${row}`, texts)) };
  const results = await Promise.allSettled(parts.map((part) => readSplit(config, part, textOf(part))));
  const splits = results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
  return [splits[0]!, splits[1], splits[2]];
}

/** A reader is loaded when its format is asked for: sharp alone would cost every other run 50 ms. */
export async function readSplit(config: DatasetConfig, part: Part, text?: OpenText): Promise<RawSplit | undefined> {
  if (config[part] === undefined || typeof config[part] === 'number') return undefined;
  switch (config.type) {
    case 'idx':
      return (await import('./idx.ts')).readIdx(sourceOf(config, part));
    case 'csv':
      return (await import('./csv.ts')).readCsv(sourceOf(config, part), { ...config, text });
    case 'cifar10':
      return (await import('./cifar.ts')).readCifar(sourceOf(config, part), 'cifar10', part);
    case 'cifar100':
      return (await import('./cifar.ts')).readCifar(sourceOf(config, part), config.labels ?? 'fine', part);
    case 'image-folder':
      return (await import('./image-folder.ts')).readImageFolder(sourceOf(config, part), config);
    case 'audio-folder':
      return (await import('./audio-folder.ts')).readAudioFolder(sourceOf(config, part), config);
    case 'text-folder':
      return (await import('./text/text-folder.ts')).readTextFolder(sourceOf(config, part), text!, config);
    case 'npz':
      return (await import('./npz.ts')).readNpz(sourceOf(config, part), config);
    case 'parquet':
      return (await import('./parquet.ts')).readParquet(sourceOf(config, part), { ...config, text });
    case 'jsonl':
      return (await import('./jsonl.ts')).readJsonl(sourceOf(config, part), { ...config, text });
  }
}

function sourceOf<S>(config: CommonConfig<S>, part: Part): S {
  return config[part] as S;
}
