import { pathToFileURL } from 'node:url';
import { UserError } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { RandomStream, withSeededMathRandom } from '../base/random.ts';
import type { InputPart } from '../data/dataset.ts';
import { detectorPoints } from '../data/points.ts';
import type { LoadedDataset } from '../data/load.ts';
import { logMelNetwork } from '../networks/sound/log-mel.ts';
import { melShape } from '../networks/sound/mel.ts';
import { preparationAffine } from '../distill/teachers/inputs/preprocess.ts';
import { preparedNetwork } from '../networks/prepared.ts';
import { scaledNetwork } from '../networks/scaled.ts';
import { unitNetwork } from '../networks/unit.ts';
import { taskOf } from '../tasks/registry.ts';
import { readOnnx, trainableModel } from '../files/onnx-file.ts';
import { loadTfjsModel } from '../files/tfjs-file.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import { renumber } from '../networks/models/names.ts';
import { buildModel } from '../networks/models/registry.ts';
import { tf } from '../networks/models/tf.ts';
import { decoderSettings } from '../recipe/decoders.ts';
import { modelOptions } from '../recipe/models.ts';
import { taskRow } from '../recipe/task.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { AssistantRecipe, TeacherTrainingRecipe } from '../recipe/schema/teacher.ts';
import { refuseMasks, soundOf } from './sound.ts';
import { backboneBuilder } from './backbone-student.ts';
import { checkStudentFile } from './student-file.ts';
import type { StudentModule, StudentModuleArgs } from './student-module.ts';
import { checkParts } from '../networks/inputs.ts';
import { chosenLayers } from '../networks/layers/choices.ts';
import { layersNetwork } from '../networks/layers/layers.ts';
import { withChoices } from '../networks/chosen.ts';
import type { AnswerGrid } from '../networks/onnx/grid.ts';
import { onnxNetwork } from '../networks/onnx/onnx.ts';
import type { ModelNetwork } from '../networks/network.ts';
import type { BuildModelArgs, LayersModel } from '../networks/models/registry.ts';

type Build = () => Promise<ModelNetwork>;

/** Recipe and data that a model is built for. */
interface Given {
  readonly recipe: Recipe;
  readonly data: Pick<LoadedDataset, 'train' | 'classNames'>;
}

function argsOf({ data }: Pick<Given, 'data'>, seed: number) {
  const { sampleShape, inputs, text, stride, nms } = data.train;
  const tokens = text && { vocabulary: text.vocabulary, padding: text.padding };
  const { fields, width } = taskOf(data.train);
  const { answersPer } = taskRow(data.train.task);
  const classes = answersPer === 'sample' ? width : data.classNames.length;
  const per = answersPer === 'sample' ? {} : { answersPer, stride, nms };
  return { inputShape: sampleShape, inputs, tokens, classes, fields, seed, ...per };
}

/** Arguments of a model built from code: for sounds, the shape is that of their features. */
function madeArgs({ recipe, data }: Given, seed: number) {
  const args = argsOf({ data }, seed);
  const sound = soundOf(recipe.dataset);
  return sound === undefined ? args : { ...args, inputShape: melShape(sound) };
}

/** Builds the student of the recipe: a named model, a module, a tfjs file, or an ONNX file. */
export function studentBuilder(context: Given, seed: number): Build {
  const { student } = context.recipe;
  if (student === undefined) throw new Error('the recipe has no student');
  const args = argsOf(context, seed);
  const { model, module, tfjs, onnx } = student;
  if (module !== undefined) {
    const made = madeArgs(context, seed);
    return async () => fitted(context, layersNetwork(await modelFromModule(module, made)));
  }
  const { freeze = [], learningRates = {} } = student;
  const { output, head = 'keep', batchNorm, trainable } = student;
  const isDetector = taskRow(context.data.train.task).answersPer === 'point';
  if (onnx !== undefined && !isDetector) refuseSeveralFields(context, 'student.onnx');
  if (head === 'replace') refuseSeveralFields(context, 'student.head: replace');
  if (tfjs !== undefined || onnx !== undefined) refuseMasks(context.recipe);
  if (tfjs !== undefined)
    return async () => {
      const { model: chosen, origin } = await chosenLayers(await loadTfjsModel(tfjs), tfjs, {
        ...args,
        head,
        batchNorm,
      });
      const network = { ...layersNetwork(checked(tfjs, chosen, args, hasNumbers(context))), origin };
      const withAll = withChoices(network, { freeze, learningRates }, tfjs);
      return answering(context, withAll, head === 'replace');
    };
  if (onnx !== undefined) {
    const compared = 'features' in context.recipe.distill ? context.recipe.distill.features : [];
    const isOfTwo = taskOf(context.data.train).classes?.length === 2;
    // A new head has outputs on its own scale, which a sigmoid would cut off.
    const isOfNumbers = head === 'keep' && hasNumbers(context);
    const inner = compared.map((pair) => pair.student);
    const { answersPer } = taskRow(context.data.train.task);
    const grid = answersPer === 'pixel' ? (args.fields[0]!.shape as AnswerGrid) : undefined;
    const options = {
      ...args,
      grid,
      detector: isDetector ? detectorOf(student, args) : undefined,
      output,
      head,
      freeze,
      trainable,
      batchNorm,
      isOfTwo,
      isOfNumbers,
      compared: inner,
    };
    return async () => {
      const { model: file, notes } = trainableModel(decodeModel(await readOnnx(onnx), onnx), onnx, output);
      const differing = checkStudentFile(onnx, file, context.data.train, context.recipe);
      const network = onnxNetwork(file, onnx, options);
      const noted = { ...network, origin: [...(network.origin ?? []), ...notes, ...differing] };
      const chosen = withChoices(noted, { freeze: [], learningRates }, onnx);
      if (isDetector) refuseOtherPoints(chosen, onnx, args.inputShape);
      return answering(context, chosen, head === 'replace');
    };
  }
  if (model === undefined) throw new Error('no model is named');
  if (student.backbone !== undefined) {
    const build = backboneBuilder(context, model, argsOf(context, seed));
    return async () => answering(context, await build());
  }
  return namedBuilder(context, model, { options: modelOptions(student, 'student'), seed, isStudent: true });
}

export function teacherBuilder(context: Given, training: TeacherTrainingRecipe | AssistantRecipe): Build {
  const options = modelOptions(training, 'teacher');
  return namedBuilder(context, training.model, { options, seed: context.recipe.seed });
}

/** Builds the other student of `distill.loss: mutual` for a student with initial seed `seed`: its own model, or the student's with other weights. */
export function peerBuilder(context: Given, seed: number): Build {
  const { distill } = context.recipe;
  const peerSeed = new RandomStream(seed, 'peer').uint32();
  const peer = 'peer' in distill ? distill.peer : undefined;
  if (peer === undefined) return studentBuilder(context, peerSeed);
  return namedBuilder(context, peer.model, { options: modelOptions(peer, 'peer'), seed: peerSeed, isStudent: true });
}

interface NamedOptions extends Pick<BuildModelArgs, 'isStudent'> {
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
}

/** Builds a model of the registry. */
function namedBuilder(context: Given, model: string, { options, seed, isStudent = false }: NamedOptions): Build {
  if (taskRow(context.data.train.task).answersPer === 'sample') refuseSeveralFields(context, `model ${model}`);
  const args = { ...madeArgs(context, seed), options, isStudent };
  if (args.inputs !== undefined) throw ofOneInput(model, args.inputs);
  return () => {
    const network = fitted(context, layersNetwork(buildModel(model, args)));
    const { train } = context.data;
    return Promise.resolve(train.usual ? preparedNetwork(network, preparationAffine(train, train.usual)) : network);
  };
}

/** Error: models of the registry would read several inputs as one long row. */
function ofOneInput(model: string, inputs: readonly InputPart[]): UserError {
  return new UserError(
    `model ${model}: takes one input, received data for ${inputs.map(({ name }) => name).join(', ')}`,
    'Leave out `text.inputs`, or name one array as `samples`; models of several inputs come from a file (`onnx`, `tfjs`) or a `module`.',
  );
}

/** Layout of the boxes and scores in the student's file, with the points and the size of its pictures. */
function detectorOf({ decoder, outputs }: NonNullable<Recipe['student']>, { inputShape }: ReturnType<typeof argsOf>) {
  const [height, width] = inputShape as readonly [number, number, number];
  const settings = decoder === undefined ? undefined : decoderSettings(decoder);
  return { points: detectorPoints(height, width).count, picture: [height, width], outputs, decoder: settings } as const;
}

/** Share of a black picture's boxes that hold their points: distances to their sides are not negative. */
const HOLDING = 0.9;

/** `UserError` for a detector whose boxes lie elsewhere than around our points, because their order, their unit or their sides are others. */
function refuseOtherPoints(network: ModelNetwork, file: string, [height, width, channels]: readonly number[]): void {
  const { centres, count } = detectorPoints(height!, width!);
  const sides = tf.tidy(() => {
    const input = tf.zeros([1, height!, width!, channels!]);
    return network.forward({ input }, { training: false }).outputs['boxes']!.dataSync();
  });
  const holds = (point: number): boolean => {
    const [x, y] = centres.subarray(2 * point, 2 * point + 2);
    const [xmin, ymin, xmax, ymax] = sides.subarray(4 * point, 4 * point + 4);
    const near = 1e-4;
    return xmin! <= x! + near && x! <= xmax! + near && ymin! <= y! + near && y! <= ymax! + near;
  };
  const held = Array.from({ length: count }, (_, point) => point).filter(holds).length;
  if (held >= HOLDING * count) return;
  throw new UserError(
    `${file}: expected a box around each of the ${count} points, the middles of cells of 8, 16 and 32 pixels row by row, received ${held} such boxes of a black picture`,
    'Say in `student.decoder` what its sides are: `boxes: corners` or `centres`, `unit: pixels` or `shares`.',
  );
}

/** `UserError` for a network of one output where answers have several fields. */
function refuseSeveralFields({ data }: Pick<Given, 'data'>, what: string): void {
  const { name, fields } = taskOf(data.train);
  if (fields.length === 1) return;
  throw new UserError(
    `${what}: has one output that is trained, and answers of ${name} are the outputs ${fields.map(endText).join(', ')}`,
    'Give a tfjs model with these outputs, as `student.module` or `student.tfjs`.',
  );
}

/** Adds a front-end for sounds, and the task's output scaling, to a network built from code. */
function fitted(context: Given, network: ModelNetwork): ModelNetwork {
  const sound = soundOf(context.recipe.dataset);
  return answering(context, sound === undefined ? network : logMelNetwork(network, sound));
}

/** True if the answers are numbers, for which a file may end in a sigmoid. */
function hasNumbers({ data }: Pick<Given, 'data'>): boolean {
  return taskOf(data.train).answers === 'values';
}

/**
 * Scales the outputs of a network to the label's units if its last layer is new (a network from a file keeps its own), and to the length 1 if answers
 * are vectors.
 */
function answering({ data }: Pick<Given, 'data'>, network: ModelNetwork, isNew = true): ModelNetwork {
  const { scaling, isUnit } = taskOf(data.train);
  if (isUnit === true) return unitNetwork(network);
  return scaling === undefined || !isNew ? network : scaledNetwork(network, scaling);
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

/** Name and shape of an input or output, without the batch. */
function endText({ name, shape }: { readonly name: string; readonly shape: readonly (number | null)[] }): string {
  return `${name} [${shape.join(', ')}]`;
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
        ? 'Build a model from samples to logits; inner tensors are named by `distill.features`.'
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
      'Build the model for the samples of the data set, or change dataset.resize or dataset.shape.',
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
