import { UserError } from '../base/errors.ts';
import { loadAugmentation } from './augment/steps-of.ts';
import { asPictures } from './axes.ts';
import { checkFinite, checkSameKind, coarseColumns } from './splits/checks.ts';
import { columnsOf, encoded, numberNames, plainWords, withMissing } from './splits/columns.ts';
import type { DatasetConfig, TaskName } from './config.ts';
import { computedOnce } from './storage/computed-once.ts';
import type { Column, Dataset, InputPart, Normalization, RawSplit, VectorForm } from './dataset.ts';
import { labelPresence } from './readers/labelled.ts';
import type { Presence } from './readers/labelled.ts';
import { renamed } from './splits/label-names.ts';
import { normalizationOf, normalizationOfParts } from './normalize.ts';
import { joinedOriginals } from './pictures/originals.ts';
import { joinedMissing } from './splits/missing.ts';
import { overlaps } from './splits/overlap.ts';
import { unfolded } from './splits/pairs.ts';
import { withUnlabelled, carve, keepLabels, labelledTargets, limited, nextId, splitOf } from './splits/parts.ts';
import type { SplitName, UnnormalizedSplit } from './splits/parts.ts';
import { readSplits } from './readers/read.ts';
import type { OnText } from './readers/read.ts';
import type { ReadingProcesses } from './storage/shared-reading.ts';
import { Room } from './storage/memory-budget.ts';
import { fillMeans } from './readers/table.ts';
import { sharedGroups } from './splits/groups.ts';
import { fillWithMeans, loadTargets, targetReader } from './targets/registry.ts';
import { namesFrom, noneLabelled, scored } from './splits/without-labels.ts';
import { classWeights } from './splits/class-weights.ts';
import { DEFAULT_TASK, taskRow } from '../recipe/task.ts';

export interface LoadedDataset {
  readonly train: Dataset;
  readonly validation: Dataset;
  /** Undefined, with a warning, if the recipe names neither a test split nor `testFraction`. */
  readonly test: Dataset | undefined;
  readonly task: TaskName;
  /** Names of the model's outputs: classes or label columns. */
  readonly classNames: readonly string[];
  /** Name of the teacher whose answers replace the labels of validation and test; absent if they have labels. */
  readonly labelledBy?: string | undefined;
  /** Place of the first sample of train without a label; undefined if all have one. */
  readonly unlabelledAt?: string | undefined;
  /** [classes] weights, if the recipe asks for them. */
  readonly classWeights: Float32Array | undefined;
  /** Warnings about the data, one sentence each. */
  readonly warnings: readonly string[];
}

export interface DataOptions {
  readonly onText?: OnText | undefined;
  /** See `Dataset.originals`. */
  readonly keepOriginals?: boolean | undefined;
  /**
   * Called for samples with two axes: true if the model reads them as grey pictures [height, width, 1]. Default: they are sequences [steps,
   * channels].
   */
  readonly arePictures?: (() => Promise<boolean>) | undefined;
  /** Columns and their words from the metadata of a model file. Default: those found in the training split. */
  readonly columns?: readonly Column[] | undefined;
  /** Bytes of memory for samples; larger samples stay in files. Default: 40 % of free memory. */
  readonly memory?: number | undefined;
  /** Number of processes on this machine that read the same data and share its memory. Default 1. */
  readonly processes?: number | undefined;
  /** Processes that divide the work of reading the same data. Default: this process alone. */
  readonly readers?: ReadingProcesses | undefined;
  /** See `PicturesGiven`. Splits whose pictures are not all decoded are not compared with each other. */
  readonly sample?: number | undefined;
}

/** Default share of train for the validation split. */
const VALIDATION = 0.1;
/** Independent of the recipe's seed: a teacher and its students must validate on the same samples, whatever their seeds. */
const SPLIT_SEED = 1;

const NO_TEST =
  'no test split: accuracies are from the validation split, which also chose the models; set `test` or `testFraction`';

/**
 * Reads a data set and splits it. The same files and `splitSeed` give the same splits. Throws `UserError` for files that are missing or broken,
 * labels that are no class, samples of another shape than train's, and NaN or infinity in the data.
 */
export async function loadDataset(
  given: DatasetConfig,
  { onText, keepOriginals = false, arePictures, columns: stated, memory, processes, readers, sample }: DataOptions = {},
): Promise<LoadedDataset> {
  const config = keepOriginals ? { ...given, keepOriginals } : given;
  const { splitSeed = SPLIT_SEED, limit, labelled, task = DEFAULT_TASK } = config;
  await loadTargets(config);
  await loadAugmentation(config.augment);
  const reader = targetReader(config);
  if (config.test !== undefined && config.testFraction !== undefined) {
    throw new UserError(
      `testFraction: ${config.testFraction} given beside \`test\``,
      'Remove one of them: `test` names files, `testFraction` carves train.',
    );
  }
  const reading = { room: new Room(memory, processes), readers, sample };
  const asRead = await readSplits(config, onText, reading);
  const { sampleShape: own, inputs: several } = asRead[0];
  const hasTwoAxes =
    own.length === 2 &&
    asRead[0].text === undefined &&
    several === undefined &&
    !('rate' in config) &&
    !areSequences(config);
  const isGrey = hasTwoAxes && (await arePictures?.()) === true;
  const [trainRead, validationRead, testRead, unlabelledRead] = isGrey
    ? (asRead.map((split) => split && asPictures(split)) as typeof asRead)
    : asRead;
  const read = { train: trainRead, validation: validationRead, test: testRead, unlabelled: unlabelledRead };
  const splitsRead = Object.values(read).filter((split) => split !== undefined);
  for (const split of splitsRead) checkSameKind(split, trainRead);
  for (const split of splitsRead)
    await computedOnce(readers, [split], () => {
      checkFinite(split);
      return 'finite';
    });
  const isEncoded = splitsRead.some(({ words, dates }) => (words ?? dates) !== undefined);
  const named = isEncoded ? (stated ?? columnsOf(trainRead)) : columnsOf(trainRead);
  if (isEncoded) refuseOtherColumns(named, trainRead);
  const withNumbers = <S extends RawSplit | undefined>(name: keyof typeof read, split: S): S => {
    const renamedSplit = split && renamed(split, trainRead.classNames, config.classes);
    return (renamedSplit !== undefined && isEncoded ? encoded(renamedSplit, named, name) : renamedSplit) as S;
  };
  const trainRaw = withNumbers('train', trainRead);
  const [validationRaw, testRaw] = [withNumbers('validation', validationRead), withNumbers('test', testRead)];
  const unlabelledRaw = withNumbers('unlabelled', unlabelledRead);
  const others = [validationRaw, testRaw, unlabelledRaw].filter((split) => split !== undefined);

  const backgrounds =
    'rate' in config
      ? await (await import('./sounds/backgrounds.ts')).readBackgrounds(config.augment ?? [], config.rate)
      : undefined;
  const present = labelPresence(trainRaw);
  const onValidation = validationRaw && scored(labelPresence(validationRaw), labelled);
  if (labelled !== 0 && present.known === 0 && onValidation === undefined) throw noneLabelled(trainRaw, present.count);
  const classNames = namesFrom(reader, [present, onValidation], config);
  const vector = taskRow(task).hasChosenWidth ? vectorOf(config, classNames) : undefined;
  const split = (name: SplitName, presence: Presence): UnnormalizedSplit =>
    splitOf(name, presence, { reader, classNames, config, vector });
  let train = split('train', present);
  const behindTrain = nextId(train.ids);
  let validation = onValidation && split('validation', onValidation);
  let test = testRaw && split('test', scored(labelPresence(testRaw), labelled));
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
  if (labelled !== undefined && labelled > 0) train = keepLabels(train, labelled, splitSeed);
  if (unlabelledRaw !== undefined) train = withUnlabelled(train, unlabelledRaw, behindTrain);
  if (limit !== undefined) {
    [train, validation] = [limited(train, limit, splitSeed), limited(validation, limit, splitSeed)];
    test = test && limited(test, limit, splitSeed);
  }
  const splits = [train, validation, ...(test === undefined ? [] : [test])];
  const policy = 'missing' in config ? config.missing : undefined;
  const filled =
    policy === 'mean' && trainRaw.columns !== undefined
      ? fillMeans(
          splits.map((split) => split.samples),
          numberNames(named).length,
        )
      : undefined;
  const columns = policy === 'mean' || policy === 'zero' ? withMissing(named, filled) : named;

  const { inputs, text } = trainRaw;
  if (inputs !== undefined && (config.augment ?? []).length > 0) refuseAugment(inputs);
  // Sounds are not normalized by default: loudness carries information.
  const asRecorded = 'rate' in config ? 'none' : undefined;
  const setting = text === undefined ? (config.normalize ?? asRecorded) : 'none';
  const overTrain = (): Normalization =>
    inputs === undefined
      ? normalizationOf(setting, train, trainRaw.sampleShape)
      : normalizationOfParts(config.normalize, train.samples, inputs);
  const usual =
    readers === undefined
      ? overTrain()
      : (JSON.parse(await computedOnce(readers, [train], () => JSON.stringify(overTrain()))) as Normalization);
  const normalization = isEncoded ? plainWords(usual, columns) : usual;
  const known = splits.map(labelledTargets);
  // If train has no labels, the validation labels determine the scale of the numbers.
  const basis = known[0]!.length > 0 ? known[0]! : known[1]!;
  const scaling = basis.length === 0 ? undefined : reader.scaling?.(basis, train.width);
  const originals = {
    train: joinedOriginals(trainRaw.originals, unlabelledRaw?.originals),
    validation: validationRaw?.originals,
    test: testRaw?.originals,
  };
  const missing = {
    train: joinedMissing(trainRaw.missing, unlabelledRaw?.missing, behindTrain),
    validation: validationRaw?.missing,
    test: testRaw?.missing,
  };
  const isOfPairs = taskRow(task).isOfPairs === true;
  const form = vector && { ...vector, largest: reader.largest?.(known) };
  const isPerPixel = taskRow(task).answersPer === 'pixel';
  const weights = config.classWeights && classWeights(config.classWeights, known[0]!, classNames.length);
  const dataset = ({ name, idPrefix, samples, stored, targets, flags, ids }: UnnormalizedSplit): Dataset => {
    const { sampleShape } = trainRaw;
    const table = trainRaw.columns === undefined || text !== undefined ? {} : { columns };
    const sound = 'rate' in config ? { rate: config.rate } : {};
    const grid = isPerPixel ? { stride: strideOf(config, trainRaw), ...(weights && { pixelWeights: weights }) } : {};
    const { maxBoxes, points, fit } = trainRaw;
    const boxes = {
      ...(maxBoxes !== undefined && { maxBoxes }),
      ...(points && { points }),
      ...(fit && { fit }),
      ...('nms' in config && config.nms === false && { nms: config.nms }),
    };
    const shared = {
      task,
      ...(config.score && { score: config.score }),
      classNames,
      sampleShape,
      ...table,
      ...sound,
      ...grid,
      ...boxes,
      ...(form && { vector: form }),
      inputs,
      text,
      normalization,
    };
    const scaled = {
      ...shared,
      ...(scaling && { scaling }),
      ...(originals[idPrefix] && { originals: originals[idPrefix] }),
      ...(missing[idPrefix] && { missing: missing[idPrefix] }),
    };
    const isPartial = flags?.includes(0) === true;
    if (isPartial && scaling !== undefined) fillWithMeans(targets, flags, scaling.mean);
    const blank = isPartial ? reader.unlabelled?.(train.width) : undefined;
    if (blank !== undefined)
      for (const [row, flag] of flags!.entries()) if (flag === 0) targets.set(blank, row * train.width);
    const own = {
      name,
      idPrefix,
      samples,
      stored,
      targets,
      ids,
      count: ids.length,
      ...(backgrounds && { backgrounds }),
    };
    const whole = { ...own, ...scaled, ...(isPartial && { labelled: flags }) };
    return isOfPairs ? unfolded(whole, train.width) : whole;
  };
  const warnings = [trainRaw, ...others].flatMap((split) => split.notes ?? []);
  for (const [i, targets] of known.entries())
    if (targets.length > 0)
      warnings.push(...reader.oddities(splits[i]!.name, targets, classNames, train.width, splits[i]!.source));
  if (trainRaw.columns !== undefined && text === undefined)
    warnings.push(...coarseColumns('train', train, numberNames(columns)));
  for (const [name, of] of Object.entries({ validation: validationRaw, test: testRaw }))
    if (of !== undefined) warnings.push(...sharedGroups(name, of, trainRaw));
  const isWhole = splits.every(({ stored }) => stored?.every === undefined);
  if (isWhole) warnings.push(...(await overlaps(splits, readers)));
  if (test === undefined) warnings.push(NO_TEST);
  return {
    train: dataset(train),
    validation: dataset(validation),
    test: test && dataset(test),
    task,
    classNames,
    unlabelledAt: labelled === 0 ? undefined : present.noneAt,
    classWeights: isPerPixel ? undefined : weights,
    warnings,
  };
}

export const DEFAULT_STRIDE = 8;

/** True if the recipe says that samples with two axes are sequences. */
function areSequences(config: DatasetConfig): boolean {
  const { window, layout } = config as { readonly window?: object; readonly layout?: string };
  return window !== undefined || layout === 'nwc' || layout === 'ncw';
}

/** Pixels from an answer to the next one. `UserError` if they do not divide the pictures. */
function strideOf({ stride = DEFAULT_STRIDE }: DatasetConfig, { source, sampleShape }: RawSplit): number {
  const [height, width] = sampleShape as readonly [number, number];
  if (height % stride === 0 && width % stride === 0) return stride;
  throw new UserError(
    `${source}: expected pictures whose height and width are multiples of dataset.stride (${stride}), received ${height}×${width}`,
    'Set `dataset.resize`, or another `dataset.stride`.',
  );
}

const VECTOR = 128;

/** Sizes of the vectors that a model answers with. `UserError` for prefixes that are no parts of a vector. */
function vectorOf(
  { task, dimensions: size = VECTOR, prefixes = [], centred, ...config }: DatasetConfig,
  classNames: readonly string[],
): VectorForm {
  const perClass = taskRow(task).isOfPairs === true ? 2 : classNames.length > 0 ? config.perClass : undefined;
  const wrong = prefixes.find((prefix, i) => prefix >= size || prefix <= (prefixes[i - 1] ?? 0));
  if (wrong === undefined) return { size, prefixes, centred, perClass };
  throw new UserError(
    `dataset.prefixes: expected ascending numbers below dataset.dimensions (${size}), received ${prefixes.join(', ')}`,
    `Leave ${wrong} out, or put the numbers in order; the whole vector is trained too.`,
  );
}

/** Throws a `UserError` if a table's columns differ from `columns`, on which a model file was trained. */
function refuseOtherColumns(columns: readonly Column[], { source, columns: own = [], words = [] }: RawSplit): void {
  const isSame =
    columns.length === own.length &&
    columns.every(
      ({ name, words: has }, i) => name === own[i] && (has !== undefined) === words.some(({ column }) => column === i),
    );
  if (isSame) return;
  throw new UserError(
    `${source}: its columns are ${own.join(', ')}, and the model was made for ${columns.map(({ name }) => name).join(', ')}`,
    'Use data with the columns of the model, in their order and with the same `categorical` columns.',
  );
}

function refuseAugment(inputs: readonly InputPart[]): never {
  throw new UserError(
    `augment: expected none for samples of several inputs (${inputs.map(({ name }) => name).join(', ')})`,
    'Remove it: pictures are changed at random only where they are the only input.',
  );
}
