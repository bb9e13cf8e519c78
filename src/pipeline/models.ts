import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../base/errors.ts';
import { withSeededMathRandom } from '../base/random.ts';
import { loadTfjsModel } from '../distill/tfjs-file.ts';
import { renumber } from '../models/names.ts';
import { buildModel } from '../models/registry.ts';
import { tf } from '../models/tf.ts';
import { modelOptions } from '../recipe/models.ts';
import type { TeacherTrainingRecipe } from '../recipe/schema/teacher.ts';
import type { StageContext } from './context.ts';
import type { LayersModel } from './fit.ts';

type Build = () => Promise<LayersModel>;

function argsOf({ data }: Pick<StageContext, 'data'>, seed: number) {
  return { inputShape: data.train.sampleShape, classes: data.classNames.length, seed };
}

/** The student of the recipe: a named model, one from a module, or a tfjs file. */
export function studentBuilder(context: Pick<StageContext, 'recipe' | 'data'>, seed: number): Build {
  const { student } = context.recipe;
  if (student === undefined) throw new Error('the recipe has no student');
  const args = argsOf(context, seed);
  const { model, module, tfjs } = student;
  if (module !== undefined) return () => modelFromModule(module, args);
  if (tfjs !== undefined) return async () => checked(tfjs, await loadTfjsModel(tfjs), args);
  if (model === undefined) throw new Error('no model is named');
  return () => Promise.resolve(buildModel(model, { ...args, options: modelOptions(student, 'student') }));
}

export function teacherBuilder(context: StageContext, training: TeacherTrainingRecipe): Build {
  const options = modelOptions(training, 'teacher');
  return () => Promise.resolve(buildModel(training.model, { ...argsOf(context, context.recipe.seed), options }));
}

/** `export default ({ tf, inputShape, classes, seed }) => a tfjs-layers model that gives logits`. */
async function modelFromModule(file: string, args: ReturnType<typeof argsOf>): Promise<LayersModel> {
  let found: { default?: (given: object) => unknown };
  try {
    found = (await import(pathToFileURL(file).href)) as typeof found;
  } catch (error) {
    const fact = error instanceof Error ? error.message : String(error);
    throw new UserError(`student.module: cannot load ${file}: ${fact}`, 'Check the path and what the module imports.', {
      cause: error,
    });
  }
  const { default: make } = found;
  if (typeof make !== 'function') {
    throw new UserError(
      `${file}: expected a function as default export, received ${typeof make}`,
      'Write `export default ({ tf, inputShape, classes, seed }) => model`.',
    );
  }
  // Initializers without a seed ask Math.random: the same recipe must give the same weights all the same.
  let model: unknown;
  try {
    model = await withSeededMathRandom([args.seed, 'module'], () => make({ tf, ...args }));
  } catch (error) {
    throw new UserError(`${file}: its function ends with an error: ${whereOf(error, file)}`, 'Correct the module.', {
      cause: error,
    });
  }
  if (!(model instanceof tf.LayersModel)) {
    const isForeign = (model as Partial<LayersModel> | undefined)?.layers !== undefined;
    throw new UserError(
      `${file}: expected a tfjs-layers model, received ${isForeign ? 'one of another copy of tfjs' : 'something else'}`,
      'Return what tf.model() or tf.sequential() gives, with the `tf` that the function is given.',
    );
  }
  renumber(model);
  return checked(file, model, args);
}

/** What was thrown, and by which line of the module. */
function whereOf(error: unknown, file: string): string {
  const { message = String(error), stack = '' } = error as Partial<Error>;
  const [, place] = new RegExp(`${path.basename(file).replaceAll('.', '\\.')}:(\\d+:\\d+)`).exec(stack) ?? [];
  return place === undefined ? message : `${message} (at ${place})`;
}

/** A model that the user brought, if it fits the data. */
function checked(file: string, model: LayersModel, { inputShape, classes }: ReturnType<typeof argsOf>): LayersModel {
  const [input, output] = [model.inputs[0]!.shape.slice(1), model.outputs[0]!.shape];
  if (output.at(-1) !== classes) {
    throw new UserError(
      `${file}: expected logits for ${classes} classes, received an output of shape [${output.join(', ')}]`,
      'Let the last layer have as many units as there are classes, without softmax.',
    );
  }
  if (input.length !== inputShape.length || input.some((size, i) => size !== null && size !== inputShape[i])) {
    throw new UserError(
      `${file}: expected an input of shape [${inputShape.join(', ')}] for each sample, received [${input.join(', ')}]`,
      'Build the model for the samples of the data set, or change dataset.resize or dataset.shape.',
    );
  }
  return model;
}
