import { pathToFileURL } from 'node:url';
import { UserError } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { withSeededMathRandom } from '../base/random.ts';
import { loadTfjsModel } from '../files/tfjs-file.ts';
import { tfjsInputScaling } from '../files/tfjs/input-scaling.ts';
import { renumber } from '../networks/models/names.ts';
import { tf } from '../networks/models/tf.ts';
import { scalingNote } from './student-file.ts';
import type { StudentModule, StudentModuleArgs } from './student-module.ts';
import { checkParts } from '../networks/inputs.ts';
import { chosenLayers } from '../networks/layers/choices.ts';
import { layersNetwork } from '../networks/layers/layers.ts';
import { withChoices } from '../networks/chosen.ts';
import type { ModelNetwork } from '../networks/network.ts';
import type { LayersModel } from '../networks/models/registry.ts';
import { argsOf, madeArgs, hasNumbers, withEnds, answering, endText } from './built-for.ts';
import type { BuiltFor } from './built-for.ts';

/** The student of a recipe that is a file of tfjs. */
export async function studentOfTfjs(context: BuiltFor, file: string, seed: number): Promise<ModelNetwork> {
  const { freeze = [], learningRates = {}, head = 'keep', batchNorm } = context.recipe.student!;
  const args = argsOf(context, seed);
  const model = await loadTfjsModel(file);
  const { train } = context.data;
  const note = scalingNote(file, await tfjsInputScaling(model, train.sampleShape.at(-1)!), train);
  const { model: chosen, origin } = await chosenLayers(model, file, { ...args, head, batchNorm });
  const noted = note === undefined ? origin : [...origin, note];
  const network = { ...layersNetwork(checked(file, chosen, args, hasNumbers(context))), origin: noted };
  const withAll = withChoices(network, { freeze, learningRates }, file);
  return answering(context, withAll, head === 'replace');
}

/** The student of a recipe that is made by a module. */
export async function studentOfModule(context: BuiltFor, file: string, seed: number): Promise<ModelNetwork> {
  return withEnds(context, layersNetwork(await modelFromModule(file, await madeArgs(context, seed))));
}

/** The model of a user's module, see `StudentModule`. */
async function modelFromModule(file: string, args: ReturnType<typeof argsOf>): Promise<LayersModel> {
  if (!(await exists(file))) {
    throw new UserError(
      `student.module: cannot load ${file}: no such file`,
      'Check the path; relative paths in a recipe start at the recipe file.',
    );
  }
  let found: { default?: StudentModule };
  try {
    found = (await import(pathToFileURL(file).href)) as typeof found;
  } catch (error) {
    const fact = error instanceof Error ? error.message : String(error);
    throw new UserError(`student.module: cannot load ${file}: ${fact}`, remedyOf(fact), { cause: error });
  }
  const { default: make } = found;
  if (typeof make !== 'function') {
    throw new UserError(
      `${file}: expected a function as default export, received ${typeof make}`,
      'Write `export default ({ tf, inputShape, classes, seed }) => model`.',
    );
  }
  // Initializers without a seed use Math.random, which is seeded so that the same recipe gives the same weights.
  const given: StudentModuleArgs = { tf, ...args };
  const model: unknown = await withSeededMathRandom([args.seed, 'module'], () => make(given)).catch(
    (error: unknown) => {
      throw failedInside(file, args, error);
    },
  );
  if (!(model instanceof tf.LayersModel)) {
    const isForeign = (model as Partial<LayersModel> | undefined)?.layers !== undefined;
    throw new UserError(
      `${file}: expected a tfjs-layers model, received ${isForeign ? 'one of another copy of tfjs' : 'something else'}`,
      'Return what tf.model() or tf.sequential() gives, with the `tf` that the function is given.',
    );
  }
  renumber(model);
  return checked(file, model, args, false);
}

/** Remedy for a module that Node cannot load. */
function remedyOf(fact: string): string {
  if (/^Unknown file extension "\.[cm]?ts"/.test(fact))
    return `Node reads TypeScript itself from 22.18 on, and this is ${process.version}: use a newer Node, or write the module as .mjs.`;
  if (/^Unexpected token 'export'|^Cannot use import statement/.test(fact))
    return 'Node reads .js as CommonJS here: a package.json above it says "type": "commonjs", or Node is older than 20.19. Name it, and what it imports, .mjs, or put { "type": "module" } into a package.json beside it.';
  return 'Check the path and what the module imports.';
}

/** `UserError` for an exception in a user's function, or in tfjs called by it, with the place in that function. */
function failedInside(file: string, { inputShape, classes }: ReturnType<typeof argsOf>, error: unknown): UserError {
  const { message = String(error), stack = '' } = (error ?? {}) as Partial<Error>;
  // A stack trace names a module by its URL or, in some runners, by its path.
  const place = [pathToFileURL(file).href, file].map((name) => stack.split(name)[1]).find((rest) => rest !== undefined);
  const at = /^:\d+:\d+/.exec(place ?? '')?.[0] ?? '';
  return new UserError(
    `${file}${at}: the function failed: ${message.split('\n')[0]!}`,
    `It was given inputShape [${inputShape.join(', ')}] and ${classes} classes.`,
    { cause: error },
  );
}

/** Checks that a user's model fits the data. */
function checked(
  file: string,
  model: LayersModel,
  { inputShape, inputs, classes, fields }: ReturnType<typeof argsOf>,
  isOfNumbers: boolean,
): LayersModel {
  const ends = (names: readonly string[], of: readonly { shape: readonly (number | null)[] }[]): string[] =>
    of.map(({ shape }, i) => endText({ name: names[i]!, shape: shape.slice(1) }));
  const [inputTexts, outputTexts] = [ends(model.inputNames, model.inputs), ends(model.outputNames, model.outputs)];
  const wanted = fields.map(endText);
  const isOne = fields.length === 1;
  const hasAll = isOne || wanted.every((text) => outputTexts.includes(text));
  if ((inputs === undefined && model.inputs.length !== 1) || model.outputs.length !== fields.length || !hasAll) {
    throw new UserError(
      `${file}: expected ${inputs === undefined ? 'one input' : 'the inputs of the data'} and ${isOne ? 'one output' : `the outputs ${wanted.join(', ')}`}, received the inputs ${inputTexts.join(', ')} ` +
        `and the outputs ${outputTexts.join(', ')}`,
      isOne
        ? 'NetworkBuild a model from samples to logits; inner tensors are named by `distill.features`.'
        : 'Name the last layer of each output as the field of the answers that it gives.',
    );
  }
  const [input, output] = [model.inputs[0]!.shape.slice(1), model.outputs[0]!.shape.slice(1)];
  if (isOne && !isOfShape(output, fields[0]!.shape)) {
    const { shape } = fields[0]!;
    throw new UserError(
      `${file}: expected logits ${shape.length === 1 ? `for ${classes} classes` : `of shape [${shape.join(', ')}]`}, received an output of shape [${output.join(', ')}] for each sample`,
      'Let the last layer have as many units as there are classes, without softmax.',
    );
  }
  for (const each of model.outputs) refuseProbabilities(file, each, isOfNumbers);
  if (inputs !== undefined) {
    checkParts(file, layersNetwork(model).inputs, inputs);
    return model;
  }
  if (input.length !== inputShape.length || input.some((size, i) => size !== null && size !== inputShape[i])) {
    throw new UserError(
      `${file}: expected an input of shape [${inputShape.join(', ')}] for each sample, received [${input.join(', ')}]`,
      'NetworkBuild the model for the samples of the data set, or change dataset.resize or dataset.shape.',
    );
  }
  return model;
}

/** True for an output of this shape; a model may leave all sizes but the last open. */
function isOfShape(output: readonly (number | null)[], shape: readonly number[]): boolean {
  const isOpen = (i: number): boolean => output[i] === null && i < shape.length - 1;
  return output.length === shape.length && shape.every((size, i) => output[i] === size || isOpen(i));
}

/** Layers that pass on their input in another order or shape. */
const HANDING_ON: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Permute']);

/**
 * `UserError` for probabilities as output: the losses apply softmax or sigmoid themselves and would learn next to nothing. `isOfNumbers`: the answers
 * are numbers, which a sigmoid may keep between 0 and 1.
 */
function refuseProbabilities(file: string, output: LayersModel['outputs'][number], isOfNumbers: boolean): void {
  let layer = output.sourceLayer;
  const activationOf = (): unknown =>
    layer.getClassName() === 'Softmax' ? 'softmax' : layer.getConfig()['activation'];
  const hasOneBefore = (): boolean => layer.inboundNodes[0]?.inboundLayers.length === 1;
  while (
    hasOneBefore() &&
    (HANDING_ON.has(layer.getClassName()) || (layer.getClassName() === 'Activation' && activationOf() === 'linear'))
  )
    layer = layer.inboundNodes[0]!.inboundLayers[0]!;
  const activation = activationOf();
  if (activation !== 'softmax' && (activation !== 'sigmoid' || isOfNumbers)) return;
  throw new UserError(
    `${file}: expected logits, received a model whose last layer ${layer.name} is a ${activation}`,
    `Save it without the ${activation} (Keras: a last Dense layer without activation); ${activation === 'softmax' ? 'the order of the classes does not change' : 'logits above 0 are probabilities above 0.5, and numbers have a scale of their own'}.`,
  );
}
