import path from 'node:path';
import { sha256 } from '../../base/bytes.ts';
import { z } from 'zod';
import { shown, UserError } from '../../base/errors.ts';
import { firstMissing, readText, removeEmpty, removeHalfWritten, writeFileAtomic } from '../../base/files.ts';
import type { OnProgress } from '../../base/progress.ts';
import { lockRun } from '../../folder/lock.ts';
import type { InputShapes } from '../../formats/onnx/sizes.ts';
import type { TimedFile } from '../../measure/latency/variants.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { applyOverride, parseOverride } from '../../recipe/overrides.ts';
import { loadData } from '../../setup/data.ts';
import { studentBuilder } from '../../setup/models.ts';
import { isFolder } from '../../setup/hub/files.ts';
import { makeRecipe } from '../../setup/make-recipe.ts';
import { budgetOf } from './budget.ts';
import type { Budget } from './budget.ts';
import { hubModel } from './hub-model.ts';
import { openModel } from './model.ts';
import type { AnswersWithin, CompressedModel } from './model.ts';
import { cutsFor, cutsSchema } from './plan.ts';
import type { Cuts, Trial } from './plan.ts';
import { compressRecipe } from './recipe.ts';
import { askedWithin, datasetOf } from './samples.ts';

export interface CompressOptions {
  /** Path of an ONNX file that gives logits of classes, or of a Hugging Face folder with one. */
  readonly model: string;
  /** Sizes of inputs that the file leaves open, by name. */
  readonly shapes?: InputShapes | undefined;
  /** A recipe, a folder of pictures, or arrays in the form of the model's input. */
  readonly data: string;
  /** Budget as text: `size=4,latency=2,drop=0.5`. */
  readonly budget?: string | undefined;
  /** Passes over the training split after each cut; 0: no training. */
  readonly epochs: number;
  readonly seed: number;
  readonly formats: readonly ('onnx' | 'tflite')[];
  /** Name of the run. Default: the file's. */
  readonly name?: string | undefined;
  /** Folder that holds the run folders. */
  readonly out: string;
  /** Mean of pictures in a folder: a number for all channels, or one for each. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  /** Changes of the resulting recipe, such as `distill.temperature=3`. */
  readonly set?: readonly string[] | undefined;
  /** Choose the cuts again, whatever an earlier call has chosen. Default false. */
  readonly fresh?: boolean;
  /** Maximum seconds for timing the candidate cuts. Default 8. */
  readonly seconds?: number;
  readonly onProgress?: OnProgress;
  /** Called with a message while the lock of another machine on the samples' folder is watched. */
  readonly onWait?: (message: string) => void;
}

/** A recipe that compresses a model, with notes. */
export interface Compression {
  readonly loaded: LoadedRecipe;
  readonly budget: Budget;
  /** The file to compress, for timing results beside it. */
  readonly original: TimedFile;
  /** Notes, one sentence each. */
  readonly notes: readonly string[];
}

const MOST_EPOCHS = 10_000;

/** `UserError` for options that become keys of the recipe, by the names that the user wrote. */
function checkOptions({ epochs, seed, name, mean, std }: CompressOptions): void {
  if (!(epochs >= 0 && epochs <= MOST_EPOCHS))
    throw new UserError(
      `--epochs: expected a number from 0 to ${MOST_EPOCHS}, received ${epochs}`,
      'It is the number of passes over the data after each cut; with 0 nothing is trained.',
    );
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new UserError(
      `--seed: expected a whole number from 0 to ${2 ** 32 - 1}, received ${seed}`,
      'Any will do; equal ones repeat a run.',
    );
  if (name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name))
    throw new UserError(
      `--name: expected letters, digits, dot, dash and underscore, received ${shown(name)}`,
      'It is the name of a folder in --out.',
    );
  if ((mean === undefined) !== (std === undefined))
    throw new UserError(
      `--mean and --std: expected both or neither, received ${mean === undefined ? '--std' : '--mean'} alone`,
      'Give what the pictures were normalized with in training.',
    );
  const odd = std?.find((value) => !(value > 0));
  if (odd !== undefined)
    throw new UserError(`--std: expected numbers > 0, received ${odd}`, 'The pictures are divided by it.');
}

/** Makes the recipe that compresses a model: the model is its own teacher, and labels samples that have none. */
export async function compression(options: CompressOptions): Promise<Compression> {
  const { mean, std, budget: asked, out, epochs, seed, formats, onProgress } = options;
  budgetOf(asked, true);
  checkOptions(options);
  const hub = isFolder(options.model) ? hubModel(path.resolve(options.model)) : undefined;
  const file = hub?.file ?? path.resolve(options.model);
  const shapes = options.shapes?.size === 0 ? undefined : options.shapes;
  const within = await askedWithin(options.data);
  const model = { ...(await openModel(file, shapes ?? hub?.shapes, within)), ...hub?.stated };
  const name = options.name ?? nameOf(path.resolve(options.model));
  const normalize = mean && std && { mean: [...mean], std: [...std] };
  const folder = path.join(out, `${name}.samples`);
  const { loaded, budget, notes } = await aloneIn(folder, options.onWait, async () => {
    const dataset = await datasetOf(model, { data: options.data, normalize, folder, onProgress });
    const budget = budgetOf(asked, dataset.labelledBy === undefined);
    const { hasNorms } = model;
    const probabilities = endsInProbabilities(model, within);
    const recipeWith = (cuts: Cuts): LoadedRecipe => {
      let recipe: unknown = compressRecipe({
        name,
        model: file,
        dataset,
        budget,
        cuts,
        hasNorms,
        probabilities,
        epochs,
        seed,
        formats,
      });
      for (const change of options.set ?? []) recipe = applyOverride(recipe, parseOverride(change));
      return makeRecipe(recipe);
    };
    await checkFits(recipeWith({ macs: 1, parameters: 1 }));
    const { cuts, notes } = await planned(model, budget, path.join(folder, 'cuts.json'), options);
    return { loaded: recipeWith(cuts), budget, notes };
  });
  model.network.dispose();
  const original = { name: path.basename(file), bytes: model.bytes, sampleShape: model.fed };
  return {
    loaded,
    budget,
    original,
    notes: [...(hub?.notes ?? []), ...twoOf(model), ...softmaxOf(model, within), ...notes],
  };
}

/** `UserError` for everything that the run would refuse before training, found before the cuts are timed. */
async function checkFits({ recipe }: LoadedRecipe): Promise<void> {
  const data = await loadData(recipe);
  const network = await studentBuilder({ recipe, data }, recipe.seed)();
  network.dispose();
}

/** Works in a locked folder, without half-written files of a killed process. The folder is removed if nothing was made in it. */
async function aloneIn<T>(folder: string, onWait: CompressOptions['onWait'], work: () => Promise<T>): Promise<T> {
  const made = await firstMissing(folder);
  const unlock = await lockRun(folder, { ...(onWait && { onWait }), rename: '--name' });
  try {
    await removeHalfWritten(folder);
    return await work();
  } finally {
    await unlock();
    if (made !== undefined) await removeEmpty(folder, made);
  }
}

/** Notes for a model with one number for two classes: compressed files have two outputs. */
function twoOf({ file, one }: CompressedModel): string[] {
  if (one === undefined) return [];
  return [
    `${path.basename(file)}: answers with one ${one} for two classes; the files that are written answer with the logits [batch, 2], 0 and z: softmax, or the sigmoid of z, gives the probability of the second class`,
  ];
}

/** True for a model of classes of samples that ends in a softmax: the probabilities of masks are no output of files. */
const endsInProbabilities = ({ endsInSoftmax }: CompressedModel, within: AnswersWithin | undefined): boolean =>
  endsInSoftmax && within === undefined;

function softmaxOf(model: CompressedModel, within: AnswersWithin | undefined): string[] {
  if (!model.endsInSoftmax) return [];
  const kept = endsInProbabilities(model, within)
    ? '; beside each file with logits, one named …-probabilities ends in it'
    : '';
  return [`${path.basename(model.file)}: is trained by its logits, without the softmax at its end${kept}`];
}

/** The cuts chosen by an earlier call for the same file and budget, else new ones: timings vary, and a killed run must resume with its own recipe. */
async function planned(
  model: CompressedModel,
  budget: Budget,
  stored: string,
  { fresh = false, seconds, onProgress }: Pick<CompressOptions, 'fresh' | 'seconds' | 'onProgress'>,
): Promise<{ cuts: Cuts; notes: string[] }> {
  const short = path.basename(model.file);
  if (model.uncut !== undefined) {
    const note = `${short}: no channels can be removed, as ${model.uncut}: it is only quantized`;
    return { cuts: { macs: 1, parameters: 1 }, notes: [note] };
  }
  const key = sha256(model.bytes, JSON.stringify(budget));
  const before: unknown = fresh ? undefined : await readText(stored).then(JSON.parse, () => undefined);
  const known = storedSchema.safeParse(before);
  if (known.success && known.data.key === key) return { cuts: known.data.cuts, notes: [] };
  const { cuts, trials } = await cutsFor(model, budget, { seconds, onProgress });
  await writeFileAtomic(stored, `${JSON.stringify({ key, cuts, trials }, null, 2)}\n`);
  const [whole] = trials;
  const best = trials.reduce((most, trial) => (trial.speed > most.speed ? trial : most));
  const missed =
    best.speed < budget.latency
      ? [`${short}: no cut that was tried makes it ${budget.latency}× as fast: at best ${speedSaid(best)}`]
      : [];
  const rest =
    cuts.macs === 1 ? 'all channels stay' : `channels go until there are ${cuts.macs} times fewer multiply-accumulates`;
  return {
    cuts,
    notes: [
      `${short}: in 8 bits ${whole!.size.toFixed(1)}× smaller${budget.latency === 1 ? '' : ` and ${speedSaid(whole!)} as fast here`}; ${rest}`,
      ...missed,
    ],
  };
}

/** `1.8× (1.6 to 2.1)`; not decided where the interval reaches from slower to faster. */
export function speedSaid({ speed, interval }: Pick<Trial, 'speed' | 'interval'>): string {
  const factor = `${speed.toFixed(2)}×`;
  if (interval === null) return `${factor} (not decided: too few sessions)`;
  const [low, high] = interval;
  return `${factor} (${low < 1 && high > 1 ? 'not decided: ' : ''}${low.toFixed(2)} to ${high.toFixed(2)})`;
}

const storedSchema = z.object({ key: z.string(), cuts: cutsSchema });

function nameOf(file: string): string {
  const stem = path
    .basename(file)
    .replace(/\.(onnx|keras|h5|hdf5)$/, '')
    .replaceAll(/[^A-Za-z0-9._-]/g, '-');
  return `${/^[A-Za-z0-9]/.test(stem) ? stem : `m${stem}`}-small`;
}
