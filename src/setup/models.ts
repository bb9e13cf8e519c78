import { UserError } from '../base/errors.ts';
import { RandomStream } from '../base/random.ts';
import type { InputPart } from '../data/dataset.ts';
import { preparationAffine } from '../distill/teachers/inputs/preprocess.ts';
import { preparedNetwork } from '../networks/prepared.ts';
import { familyOf } from '../networks/models/families.ts';
import type { BuildModelArgs } from '../networks/models/families.ts';
import { buildNamed } from '../networks/models/named.ts';
import type { ModelNetwork } from '../networks/network.ts';
import { modelOptions } from '../recipe/models.ts';
import { taskRow } from '../recipe/task.ts';
import type { AssistantRecipe, TeacherTrainingRecipe } from '../recipe/schema/teacher.ts';
import { layersNetwork } from '../networks/layers/layers.ts';
import { argsOf, madeArgs, refuseMasks, refuseSeveralFields, withEnds, answering } from './built-for.ts';
import type { NetworkBuild, BuiltFor } from './built-for.ts';

/** Builds the student of the recipe: a named model, a module, a tfjs file, or an ONNX file. */
export function studentBuilder(context: BuiltFor, seed: number): NetworkBuild {
  const { student } = context.recipe;
  if (student === undefined) throw new Error('the recipe has no student');
  const { model, module, tfjs, onnx, head = 'keep' } = student;
  if (module !== undefined)
    return async () => (await import('./student-layers.ts')).studentOfModule(context, module, seed);
  if (onnx !== undefined && taskRow(context.data.train.task).answersPer !== 'point')
    refuseSeveralFields(context, 'student.onnx');
  if (head === 'replace') refuseSeveralFields(context, 'student.head: replace');
  if (tfjs !== undefined || onnx !== undefined) refuseMasks(context.recipe);
  if (tfjs !== undefined) return async () => (await import('./student-layers.ts')).studentOfTfjs(context, tfjs, seed);
  if (onnx !== undefined) return async () => (await import('./student-onnx.ts')).studentOfOnnx(context, onnx, seed);
  if (model === undefined) throw new Error('no model is named');
  if (student.backbone !== undefined) {
    const args = argsOf(context, seed);
    return async () => {
      const { backboneBuilder } = await import('./backbone-student.ts');
      return answering(context, await backboneBuilder(context, model, args)());
    };
  }
  return namedBuilder(context, model, { options: modelOptions(student, 'student'), seed, isStudent: true });
}

export function teacherBuilder(context: BuiltFor, training: TeacherTrainingRecipe | AssistantRecipe): NetworkBuild {
  const options = modelOptions(training, 'teacher');
  return namedBuilder(context, training.model, { options, seed: context.recipe.seed });
}

/** Builds the other student of `distill.loss: mutual` for a student with initial seed `seed`: its own model, or the student's with other weights. */
export function peerBuilder(context: BuiltFor, seed: number): NetworkBuild {
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
function namedBuilder(
  context: BuiltFor,
  model: string,
  { options, seed, isStudent = false }: NamedOptions,
): NetworkBuild {
  if (taskRow(context.data.train.task).answersPer === 'sample') refuseSeveralFields(context, `model ${model}`);
  const { inputs } = argsOf(context, seed);
  if (inputs !== undefined) throw ofOneInput(model, inputs);
  return async () => {
    const args = { ...(await madeArgs(context, seed)), options, isStudent };
    const drawn = layersNetwork(await buildNamed(model, args));
    const network = await withEnds(context, await begun(drawn, model, options['weights']));
    const { train } = context.data;
    return train.usual ? preparedNetwork(network, preparationAffine(train, train.usual)) : network;
  };
}

/** The network with starting weights, if its family has the option and it is not `none`. */
async function begun(network: ModelNetwork, model: string, weights: unknown): Promise<ModelNetwork> {
  if (weights === 'none' || (await familyOf(model))?.options['weights'] === undefined) return network;
  const { startingWeights } = await import('./starting-weights.ts');
  const { withStartingWeights } = await import('../networks/starting-weights.ts');
  return withStartingWeights(network, await startingWeights(), { model, isAsked: weights === 'own' });
}

/** Error: models of the registry would read several inputs as one long row. */
function ofOneInput(model: string, inputs: readonly InputPart[]): UserError {
  return new UserError(
    `model ${model}: takes one input, received data for ${inputs.map(({ name }) => name).join(', ')}`,
    'Leave out `text.inputs`, or name one array as `samples`; models of several inputs come from a file (`onnx`, `tfjs`) or a `module`.',
  );
}
