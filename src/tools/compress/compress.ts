import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import type { LoadedRecipe } from '../../recipe/load.ts';
import { applyOverride, parseOverride } from '../../recipe/overrides.ts';
import { makeRecipe } from '../../setup/runnable.ts';
import { budgetOf } from './budget.ts';
import type { Budget } from './budget.ts';
import { openModel } from './model.ts';
import { recipeOf } from './recipe.ts';
import { datasetOf } from './samples.ts';

export interface CompressOptions {
  /** An ONNX file that answers with logits of classes. */
  readonly model: string;
  /** A recipe, a folder of pictures, or arrays of inputs as the model is fed. */
  readonly data: string;
  /** Budget as text: `size=4,latency=2,drop=0.5`. */
  readonly budget?: string | undefined;
  /** Passes over the training split after each cut. */
  readonly epochs: number;
  readonly seed: number;
  readonly formats: readonly ('onnx' | 'tflite')[];
  /** Name of the run. Default: that of the file. */
  readonly name?: string | undefined;
  /** The folder that holds the folders of the runs. */
  readonly out: string;
  /** Means of pictures in a folder: a number for all channels, or one for each. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  /** Changes of the recipe that is made, as `distill.temperature=3`. */
  readonly set?: readonly string[] | undefined;
  readonly onProgress?: OnProgress;
}

/** The recipe that compresses a model: it is its own teacher, and where the data have no labels its answers are the labels. */
export async function compression(options: CompressOptions): Promise<{ loaded: LoadedRecipe; budget: Budget }> {
  const { mean, std, budget: asked, out, epochs, seed, formats, onProgress } = options;
  budgetOf(asked, true);
  if ((mean === undefined) !== (std === undefined))
    throw new UserError(
      `--mean and --std: expected both or neither, received ${mean === undefined ? '--std' : '--mean'} alone`,
      'Give what the pictures were normalized with in training.',
    );
  const file = path.resolve(options.model);
  const model = await openModel(file);
  const name = options.name ?? nameOf(file);
  const normalize = mean && std && { mean: [...mean], std: [...std] };
  const folder = path.join(out, `${name}.samples`);
  const dataset = await datasetOf(model, { data: options.data, normalize, folder, onProgress });
  const budget = budgetOf(asked, dataset.labelledBy === undefined);
  let recipe: unknown = recipeOf({ name, model: file, dataset, budget, epochs, seed, formats });
  for (const change of options.set ?? []) recipe = applyOverride(recipe, parseOverride(change));
  return { loaded: makeRecipe(recipe), budget };
}

function nameOf(file: string): string {
  const stem = path.basename(file, '.onnx').replaceAll(/[^A-Za-z0-9._-]/g, '-');
  return `${/^[A-Za-z0-9]/.test(stem) ? stem : `m${stem}`}-small`;
}
