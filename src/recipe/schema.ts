import { dataType } from './data-types.ts';
import { DEFAULT_ENGINE, DEVICES, ENGINE_NAMES, engineSetups } from './engines.ts';
import { z } from 'zod';
import { refusals } from './refusals.ts';
import { rulesFor } from './rules.ts';
import { baselineSchema, refuseForBaseline } from './schema/baseline.ts';
import { pruneSchema, quantizeSchema } from './schema/compress.ts';
import { datasetSchema } from './schema/dataset.ts';
import { distillSchema, refuseForDistill, USUAL_LOSS } from './schema/distill.ts';
import { ACROSS_BATCH, FULL_PRECISION, lossNumbers, NEEDS_PEER } from './schema/loss.ts';
import { count, seed, OPSETS } from './schema/parts.ts';
import { refuseWithoutStudent, studentSchema } from './schema/student.ts';
import type { StudentInput } from './schema/student.ts';
import { targetSchema } from './schema/target.ts';
import { FILE_OUTPUTS, taskRow } from './task.ts';
import type { TaskName } from './task.ts';
import { refuseForText } from './schema/text.ts';
import { teacherSchema } from './schema/teacher.ts';
import { refuseUnwritten, tfliteSchema } from './schema/tflite.ts';
import type { TeacherInput } from './schema/teacher.ts';

/** Every key of a recipe, one sentence and one default each. `limbeck schema` prints this as JSON Schema. */

const reportSchema = z
  .strictObject({
    latency: z
      .strictObject({
        batchSizes: z.array(count).min(1).default([1, 8, 32]).describe('Batch sizes to time.'),
        threads: z.array(count).min(1).default([1, 2]).describe('Numbers of threads to time.'),
        seconds: z
          .number()
          .min(0)
          .max(3600)
          .default(3)
          .describe('Time for all measurements together; 0 measures nothing.'),
        places: z
          .array(z.enum(['node', 'chromium', 'adb']))
          .min(1)
          .default(['node'])
          .describe('Places to time in: this machine, a headless Chromium on it, phones that adb reaches.'),
      })
      .prefault({})
      .describe('Time the exported models beside the teacher.'),
    pruningSensitivity: z
      .boolean()
      .default(false)
      .describe('Measure the accuracy lost by removing channels from each layer of the student separately.'),
  })
  .describe('Measurements at the end of the run.');

export const recipeSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
      .describe('Name of the run and of its folder under checkpoints; default: name of the recipe file.'),
    seed: seed.default(0).describe('Seed of all randomness in training.'),
    dataset: datasetSchema,
    teacher: teacherSchema.optional(),
    student: studentSchema.optional(),
    baseline: baselineSchema,
    distill: distillSchema.prefault({}),
    prune: z.array(pruneSchema).default([]).describe('Pruning steps, in order.'),
    card: z
      .strictObject({
        license: z
          .string()
          .min(1)
          .optional()
          .describe('Licence of the model, by its name on the hub: apache-2.0, mit, …'),
        baseModel: z.string().min(1).optional().describe('Model that it was made from: owner/name on the hub.'),
      })
      .optional()
      .describe('What `limbeck export --transformers` writes at the head of README.md.'),
    quantize: quantizeSchema.default([]),
    export: z
      .array(z.enum(['onnx', 'tflite']))
      .min(1)
      .default(['onnx'])
      .describe('File formats of the student.'),
    outputs: z
      .enum(['logits', ...FILE_OUTPUTS])
      .optional()
      .describe(
        'What files of the student answer with. probabilities, of classes or labels: beside each file with logits another one, `…-probabilities`. classes, for segmentation: another one, `…-classes`, that resizes the logits to the size of the picture and answers with the class of each pixel, uint8 [n, height, width]. detections: another one, `…-detections`, in ONNX with non-maximum suppression inside, in TFLite as ObjectDetector of MediaPipe reads it. Default: logits.',
      ),
    tflite: tfliteSchema,
    onnx: z
      .strictObject({
        opset: z
          .int()
          .min(OPSETS[0])
          .max(OPSETS[1])
          .default(17)
          .describe('Operator set of ONNX files, from 17 to 21; raised if an op needs a later one.'),
      })
      .prefault({})
      .describe('Options of ONNX files.'),
    report: reportSchema.prefault({}),
    target: targetSchema.optional(),
    repeats: count.max(100).default(1).describe('Number of times that the student is trained, each with its own seed.'),
    engine: z
      .enum(['auto', ...ENGINE_NAMES])
      .default('auto')
      .describe(`Library that computes; auto: ${DEFAULT_ENGINE}. ${engineSetups()}`),
    device: z
      .enum(['auto', ...DEVICES])
      .default('auto')
      .describe('Device that computes.'),
    precision: z
      .enum(['full', 'mixed'])
      .default('full')
      .describe(
        'Precision of training; mixed: matrix products and convolutions in float16 with a scaled loss, all else in float32; qat stays full.',
      ),
    stepsPerCall: count
      .max(1024)
      .optional()
      .describe(
        'Training steps in one call of ONNX Runtime, during which the state stays on the device; default: 16 on cuda and tensorrt, else 1.',
      ),
    shards: count
      .max(1024)
      .optional()
      .describe(
        'Number of parts that each batch is cut into for the processes of mpirun, at least the number of processes; default: 8 under mpirun. A resumed run keeps its number.',
      ),
    syncBatchNorm: z
      .boolean()
      .default(false)
      .describe('Batch norms use the statistics of the whole batch, not only of a shard.'),
    threads: z.int().min(0).max(1024).default(0).describe('Threads of the engine; 0: one per core.'),
    jobs: count
      .max(64)
      .optional()
      .describe(
        'Number of trainings at the same time (twin, distilled student, and repeats), each in a process of its own with its share of the threads. Default: 1.',
      ),
  })
  .superRefine(({ target, student }, context) => {
    if (target === undefined || student !== undefined) return;
    const params = { expected: 'a student to search for', received: 'a recipe without student' };
    context.addIssue({ code: 'custom', message: 'no student', path: ['target'], params });
  })
  .superRefine(({ target, jobs }, context) => {
    if (target === undefined || jobs === undefined) return;
    const hint =
      'Take jobs out, and let several processes search: `limbeck run --shard 1/2` and `--shard 2/2` (docs/scale.md).';
    const params = {
      expected: 'a recipe without target, whose candidates are trained one after another',
      received: jobs,
      hint,
    };
    context.addIssue({ code: 'custom', message: 'not read', path: ['jobs'], params });
  })
  .superRefine(({ student, distill, target }, context) => {
    if (distill.epochs > 0) return;
    const isFile = (student?.onnx ?? student?.tfjs) !== undefined && student?.head !== 'replace';
    const expected = 'more than 0 epochs, but for a student from a file that is taken as it is';
    if (isFile && target === undefined) return;
    context.addIssue({
      code: 'custom',
      message: 'untrained',
      path: ['distill', 'epochs'],
      params: { expected, received: 0 },
    });
  })
  .superRefine((recipe, context) => refuseForBaseline(recipe, context))
  .superRefine(({ target, teacher }, context) => {
    if (target?.maxDrop === undefined || (teacher !== undefined && teacher.logits === undefined)) return;
    const params = {
      expected: 'a teacher whose accuracy on the validation split can be measured',
      received: teacher === undefined ? 'no teacher' : 'stored logits, which are of the training split',
    };
    context.addIssue({ code: 'custom', message: 'no teacher', path: ['target', 'maxDrop'], params });
  })
  .superRefine(({ teacher, distill }, context) => {
    if (teacher !== undefined) return;
    const hasPeer = NEEDS_PEER.has(distill.loss);
    const usualNumbers = distill.loss === 'auto' || hasPeer ? [] : Object.entries(lossNumbers(distill.loss));
    const changed = usualNumbers.filter(([key, number]) => distill[key as keyof typeof distill] !== number);
    const present = (['minConfidence', 'schedules', 'teacherUntil', 'generations', 'leaveOut'] as const).filter(
      (key) => distill[key] !== undefined && !(hasPeer && key === 'schedules'),
    );
    const keys = [
      ...(distill.loss === USUAL_LOSS || hasPeer ? [] : ['loss']),
      ...changed.map(([key]) => key),
      ...present,
    ];
    for (const key of keys) {
      const params = { expected: 'a teacher, without which it has no effect', received: 'none' };
      context.addIssue({ code: 'custom', message: 'not read', path: ['distill', key], params });
    }
  })
  .superRefine((recipe, context) => refuseForDistill(recipe, context))
  .superRefine(({ dataset }, context) => {
    if (dataset.labelled === 0) return;
    for (const part of ['train', 'validation', 'test'] as const) {
      const source: unknown = dataset[part];
      if (dataType(dataset.type).besideLabels === undefined || typeof source !== 'object' || source === null) continue;
      if ('file' in source || ('labels' in source && source.labels !== undefined)) continue;
      const hint =
        'Name the file of labels; samples without labels stand under `unlabelled`, and with `labelled: 0` no split needs labels.';
      const params = { expected: 'text', received: 'nothing', hint };
      context.addIssue({ code: 'custom', message: 'no labels', path: ['dataset', part, 'labels'], params });
    }
  })
  .superRefine((recipe, context) => refuseForText(recipe, context))
  .superRefine((recipe, context) => refuseUnwritten(recipe, context))
  .superRefine((recipe, context) => refuseWithoutStudent(recipe, context))
  .superRefine(({ student, distill, prune, quantize, baseline }, context) => {
    if (student?.onnx === undefined) return;
    const trainings = [
      { optimizer: distill.optimizer, path: ['distill'] },
      ...(typeof baseline === 'object' ? [{ optimizer: baseline.optimizer, path: ['baseline'] }] : []),
      ...quantize.flatMap((one, i) =>
        'qat' in one && one.qat !== undefined ? [{ optimizer: one.qat.optimizer, path: ['quantize', i, 'qat'] }] : [],
      ),
      ...prune.map((step, i) => ({ optimizer: step.finetune.optimizer, path: ['prune', i, 'finetune'] })),
    ];
    const layout = 'knows weights as layers keep them, [height, width, in, out]';
    for (const { optimizer, path } of trainings) {
      const refuse = (key: string, expected: string, received: unknown, hint: string): void =>
        context.addIssue({
          code: 'custom',
          message: 'unknown layout',
          path: [...path, 'optimizer', key],
          params: { expected: `${expected} ${layout}`, received, hint },
        });
      if (optimizer?.type === 'muon') refuse('type', 'another rule beside student.onnx: muon', 'muon', 'Choose adamw.');
      if (optimizer?.maxNorm !== undefined)
        refuse('maxNorm', 'none beside student.onnx: the limit', optimizer.maxNorm, 'Set weightDecay instead.');
    }
  })
  .superRefine(({ precision, distill: { loss } }, context) => {
    if (precision !== 'mixed' || !FULL_PRECISION.has(loss)) return;
    const params = { expected: `full: ${loss} squares and multiplies what float16 cannot hold`, received: precision };
    context.addIssue({ code: 'custom', message: 'too coarse', path: ['precision'], params });
  })
  .superRefine(({ dataset, teacher, distill, syncBatchNorm }, context) => {
    const trainings = [
      { of: distill, path: ['distill'] },
      ...(teacher?.train === undefined ? [] : [{ of: teacher.train, path: ['teacher', 'train'] }]),
      ...(teacher?.chain ?? []).map((of, i) => ({ of, path: ['teacher', 'chain', i] })),
    ];
    for (const { of, path } of trainings) {
      const { microBatch, batchSize } = of;
      if (microBatch === undefined || (microBatch <= batchSize && !syncBatchNorm)) continue;
      const expected = syncBatchNorm
        ? 'nothing: with syncBatchNorm all parts of a batch are held at once'
        : `at most batchSize, which is ${batchSize}`;
      const params = { expected, received: String(microBatch) };
      context.addIssue({ code: 'custom', message: 'too many', path: [...path, 'microBatch'], params });
    }
    const learning = trainings.filter(
      ({ path }) => path[1] !== 'train' && (path[0] === 'distill' || !('features' in distill)),
    );
    const inParts = learning.filter(({ of }) => of.microBatch !== undefined);
    const received = comparing(dataset, distill.loss);
    if (received === undefined) return;
    const expected = 'a loss that is a sum over samples, of which parts of a batch can be computed one after another';
    const hint = 'Take it out and lower batchSize, or choose another loss.';
    const params = { expected, received, hint };
    for (const { path } of inParts)
      context.addIssue({ code: 'custom', message: 'not read', path: [...path, 'microBatch'], params });
  })
  .superRefine(({ dataset, shards, distill: { loss } }, context) => {
    const received = shards === undefined ? undefined : comparing(dataset, loss);
    if (received === undefined) return;
    const expected = `a loss that is a sum over samples, of which each of the ${shards} shards of a batch is computed by itself`;
    const params = { expected, received, hint: 'Choose another loss, or leave out shards and mpirun.' };
    context.addIssue({ code: 'custom', message: 'not a sum', path: ['distill', 'loss'], params });
  })
  .superRefine((recipe, context) => {
    if (recipe.teacher !== undefined || recipe.student !== undefined) return;
    const params = { expected: 'a teacher, a student or both', received: 'neither' };
    context.addIssue({ code: 'custom', message: 'nothing to do', params });
  })
  .superRefine((recipe, context) => {
    for (const { path, ...params } of refusals(recipe, rulesFor(recipe)))
      context.addIssue({ code: 'custom', message: 'against a rule', path: [...path], params });
  })
  .describe('A Limbeck recipe.');

/** The part of a training that compares the samples of a batch with each other: its loss, or the labels of vectors. */
function comparing(
  { task, labelled }: { readonly task?: TaskName | undefined; readonly labelled?: number | undefined },
  loss: string,
): string | undefined {
  if (ACROSS_BATCH.has(loss)) return loss;
  const { form, isOfPairs } = taskRow(task);
  if (form !== 'vector' || labelled === 0) return undefined;
  return isOfPairs === true ? 'the similarities of pairs' : 'the contrast of labelled samples';
}

export type Recipe = z.infer<typeof recipeSchema>;
/** Recipe as written: keys with a default may be absent. */
export interface RecipeInput extends Omit<z.input<typeof recipeSchema>, 'teacher' | 'student'> {
  readonly teacher?: TeacherInput | undefined;
  readonly student?: StudentInput | undefined;
}
export type DistillRecipe = Recipe['distill'];

export function recipeJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(recipeSchema, { io: 'input' }) as Record<string, unknown>;
  // `name` defaults to the file's name.
  schema['required'] = (schema['required'] as string[]).filter((key) => key !== 'name');
  return schema;
}
