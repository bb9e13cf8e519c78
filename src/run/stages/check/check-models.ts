import { nearest, UserError } from '../../../base/errors.ts';
import { memoryText } from '../../../base/process/memory.ts';
import { isMix } from '../../../data/augment/kinds.ts';
import { augmenterOf, mixerFor } from '../../../data/augment/steps-of.ts';
import { labelledCount } from '../../../data/readers/labelled.ts';
import { NEEDS_LABEL, NEEDS_PEER, NEEDS_PLAIN, NEEDS_STRONG } from '../../../recipe/schema/loss.ts';
import { contentOf, networkParameters } from '../../../networks/network.ts';
import type { ModelNetwork } from '../../../networks/network.ts';
import type { Recipe } from '../../../recipe/schema.ts';
import { streamFormats } from '../../../recipe/schema/export.ts';
import { isForMediaPipe } from '../../../recipe/schema/task.ts';
import { stepsNotes } from '../../../recipe/steps.ts';
import type { TeacherRecipe } from '../../../recipe/schema/teacher.ts';
import type { StageContext } from '../../context.ts';
import { hashOf } from '../../hashes.ts';
import { leaveOutOf, mutualMethod } from '../../methods.ts';
import { tokenNotes } from '../../../setup/data.ts';
import { studentBuilder, teacherBuilder } from '../../../setup/models.ts';
import { taskOf } from '../../../tasks/registry.ts';
import { refuseTop } from '../teacher/answer.ts';
import { refuseNoTokens } from './token-ids.ts';

/**
 * Finds errors before any training that would otherwise occur late: models that cannot be built, answers that cannot be stored. Returns notes for the report
 * on the initial weights of a student from a file and on the spectrum of sounds.
 */
export async function checkModels(
  context: Pick<StageContext, 'recipe' | 'data' | 'onEvent' | 'processes'>,
): Promise<readonly string[]> {
  const { recipe, data, onEvent, processes } = context;
  onEvent({ type: 'stage', stage: 'check models' });
  const { teacher, student, distill } = recipe;
  const lengths = [...stepsNotes(recipe, data.train.count), ...(student === undefined ? [] : tokenNotes(recipe))];
  for (const message of lengths) onEvent({ type: 'message', message });
  refuseForLabels(recipe, data);
  taskOf(data.train).refuseUnscored?.([data.validation, data.test]);
  // A task refuses a label loss that its labels do not fit.
  for (const training of [distill, teacher?.train])
    if (training !== undefined) taskOf(data.train).labelNumbers(training);
  const { sampleShape, normalization, backgrounds } = data.train;
  augmenterOf(recipe.dataset.augment, sampleShape, normalization, sampleShape, backgrounds);
  if ('strong' in distill) augmenterOf(distill.strong, sampleShape, normalization, sampleShape, backgrounds);
  mixerFor(recipe.dataset.augment, sampleShape, recipe.seed, 0);
  checkOfTeacher(recipe, data);
  const trained = teacher?.train && (await teacherBuilder(context, teacher.train)());
  if (trained !== undefined) {
    refuseNoTokens(trained, data);
  }
  const assistants = [];
  for (const assistant of teacher?.chain ?? []) {
    assistants.push(await teacherBuilder(context, assistant)());
    refuseNoTokens(assistants.at(-1)!, data);
  }
  if (student === undefined) return lengths;
  const model = await studentBuilder(context, recipe.seed)();
  // Another machine may hold another file: gradients of different networks would be added.
  processes.requireSame('student', () => hashOf(contentOf(model)));
  refuseNoTokens(model, data);
  refuseLarge(networkParameters(model), recipe.export);
  if (streamFormats(recipe.export).length > 0) await (await import('./streams.ts')).refuseLookingAhead(context, model);
  if (NEEDS_PEER.has(distill.loss)) refuseNoTokens(await (await mutualMethod()).check(context, model), data);
  (await leaveOutOf(recipe))?.check(recipe, data, model);
  await refuseUnprunable(recipe, model);
  refuseUndrawn(recipe, data);
  if (data.train.fit === 'letterbox' && isForMediaPipe(recipe))
    onEvent({
      type: 'warning',
      message: `dataset.fit: letterbox: MediaPipe, which opens the TFLite files with detections, stretches pictures: those without the proportions of \`resize\` lose boxes there. \`fit: stretch\` learns from stretched ones; after the run \`limbeck export ${recipe.name} --mediapipe DIR\` says what it costs`,
    });
  const ofSound =
    'rate' in recipe.dataset ? (await import('../../../setup/sound.ts')).soundNotes(recipe.dataset, model) : [];
  const seen = [...beginning(recipe, data, model), ...ofSound];
  for (const message of seen) onEvent({ type: 'message', message });
  const notes = [...lengths, ...seen];
  const layers = Object.keys(model.layers);
  if (teacher === undefined) return notes;
  refuseImpossible(recipe);
  if (recipe.teacher !== undefined) refuseTop(recipe.distill.softTargets.top, taskOf(data.train).width);
  if (!('features' in distill)) return notes;
  for (const pair of distill.features) {
    if (!layers.includes(pair.student))
      throw unknownTensor(`the student has no layer ${pair.student}`, pair.student, layers);
    const compared = assistants.at(-1) ?? trained;
    if (compared !== undefined) {
      const known = Object.keys(compared.layers);
      if (!known.includes(pair.teacher))
        throw unknownTensor(
          `${assistants.length > 0 ? 'the last assistant' : 'the teacher'} has no layer ${pair.teacher}`,
          pair.teacher,
          known,
        );
    } else refuseUnnamed(teacher, pair.teacher);
  }
  return notes;
}

/** Maximum bytes of a TFLite file: a FlatBuffer has offsets of 32 bits with a sign. */
const MOST_TFLITE_BYTES = 2 ** 31 - 1;

/** `UserError` for a student whose TFLite file in float32 could not be written: that would be found after its training. */
export function refuseLarge(parameters: number, formats: Recipe['export']): void {
  if (4 * parameters <= MOST_TFLITE_BYTES || !formats.includes('tflite')) return;
  throw new UserError(
    `the student has ${parameters} parameters: its TFLite file would take ${memoryText(4 * parameters)}, expected at most ${memoryText(MOST_TFLITE_BYTES)}`,
    'Take a smaller network, or set export: [onnx].',
  );
}

/** `UserError` for augmentation of the teacher's samples that does not fit their kind. */
function checkOfTeacher({ teacher, seed }: Recipe, { train }: StageContext['data']): void {
  const { augment = [] } = teacher?.train ?? {};
  if (augment.length === 0) return;
  const { sampleShape, normalization, text, inputs } = train;
  const kind = text !== undefined ? 'texts' : inputs !== undefined ? 'samples of several inputs' : undefined;
  if (kind !== undefined)
    throw new UserError(
      `teacher.train.augment: expected none for ${kind}, received ${augment.map((step) => Object.keys(step).join()).join(', ')}`,
      'Remove it: pictures and sounds are changed at random where they are the only input.',
    );
  augmenterOf(augment, sampleShape, normalization);
  mixerFor(augment, sampleShape, seed, 0);
}

/** `UserError` for a loss or a teacher that needs labels, if samples have none. */
function refuseForLabels({ teacher, distill }: Recipe, { train, validation }: StageContext['data']): void {
  if (teacher === undefined) return;
  const without = train.count - labelledCount(train);
  if (without > 0 && NEEDS_LABEL.has(distill.loss))
    throw new UserError(
      `distill.loss: ${distill.loss} needs the true class or number, and ${without} of ${train.count} samples of train have no label`,
      'Choose another loss, such as kd or mse.',
    );
  if (validation.labelled === undefined || teacher.logits === undefined) return;
  throw new UserError(
    'teacher.logits: expected a teacher to ask about validation and test, which have no labels, received stored answers to train',
    'Name the teacher itself, or give the samples of validation and test a label.',
  );
}

/** Notes on the initial weights of the student and its twin, if they come from a file. */
function beginning(
  { teacher, baseline }: Recipe,
  { train }: StageContext['data'],
  { origin = [] }: ModelNetwork,
): string[] {
  const hasTwin = origin.length > 0 && teacher !== undefined && baseline && labelledCount(train) > 0;
  return [
    ...origin,
    ...(hasTwin ? ['the twin, which is trained without the teacher, starts from the same weights'] : []),
  ];
}

function refuseUnnamed({ ensemble, intermediate }: TeacherRecipe, name: string): void {
  if (ensemble !== undefined) {
    throw new UserError(
      `distill.features: an ensemble gives no inner tensors, received ${name}`,
      'Name one teacher, or choose a loss of logits such as kd.',
    );
  }
  if (intermediate.includes(name)) return;
  throw new UserError(
    `distill.features: ${name} is not among teacher.intermediate, received ${intermediate.join(', ') || 'none'}`,
    `Add it there: intermediate: [${[...intermediate, name].join(', ')}].`,
  );
}

export function unknownTensor(fact: string, name: string, known: readonly string[]): UserError {
  const meant = nearest(name, known);
  const hint = meant === undefined ? `There are: ${known.join(', ') || 'none'}.` : `Did you mean ${meant}?`;
  return new UserError(`distill.features: ${fact}`, hint);
}

async function refuseUnprunable({ prune }: Recipe, student: ModelNetwork): Promise<void> {
  if (prune.some(({ type }) => type !== 'channels') && student.kernels().result.length === 0) {
    throw new UserError(
      `prune: the student ${student.name} has no weights that can be masked: it has neither convolutions nor dense layers`,
      'Choose another student, or leave `prune` out.',
    );
  }
  if (prune.every(({ type }) => type !== 'channels')) return;
  const { dependencies } = await import('../../../compress/prune/groups.ts');
  const { groups, skipped } = dependencies(student);
  if (groups.length > 0) return;
  throw new UserError(
    `prune: the student ${student.name} has no channels that can be removed: ${skipped[0]?.why ?? 'no layer makes any'}`,
    'Choose a student of convolutions or dense layers, or leave `prune` out.',
  );
}

/** `UserError` for an importance that draws classes from the teacher's answers, in a recipe whose task has no single right class. */
function refuseUndrawn({ prune, teacher }: Recipe, { train }: StageContext['data']): void {
  const at = prune.findIndex((step) => step.type === 'channels' && step.importance === 'fisher');
  const { classes, name } = taskOf(train);
  if (at < 0 || (teacher !== undefined && classes !== undefined)) return;
  throw new UserError(
    `prune.${at}.importance: fisher draws classes from the answers of a teacher, received ${teacher === undefined ? 'no teacher' : `a task of ${name}`}`,
    'Choose taylor, which measures the loss itself.',
  );
}

function refuseImpossible({ dataset, distill, teacher }: Recipe): void {
  const { store } = distill.softTargets;
  const isStored = teacher?.logits !== undefined;
  const mix = dataset.augment.find(isMix);
  if (mix !== undefined && NEEDS_PLAIN.has(distill.loss))
    throw new UserError(
      `distill.loss: ${distill.loss} remembers single samples, received dataset.augment with ${Object.keys(mix).join()}`,
      'Choose another loss, or leave the mixing out.',
    );
  if (store === 'live' && !isStored) return;
  const reason = mix
    ? `dataset.augment: ${Object.keys(mix).join()} makes samples without stored answers`
    : 'features' in distill
      ? `distill.loss: ${distill.loss} compares inner tensors, which are not stored`
      : NEEDS_STRONG.has(distill.loss)
        ? `distill.loss: ${distill.loss} asks the teacher about a second view of each sample, for which no answer is stored`
        : undefined;
  if (reason === undefined) return;
  if (isStored)
    throw new UserError(`${reason}, received teacher.logits`, 'Use the teacher itself, with answers `live`.');
  throw new UserError(`${reason}, received softTargets.store: ${store}`, 'Set distill.softTargets.store to live.');
}
