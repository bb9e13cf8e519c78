import { DEFAULT_ENGINE, DEVICES, ENGINE_NAMES, engineSetups } from './engines.ts';
import { z } from 'zod';
import { refusals } from './refusals.ts';
import { rulesFor } from './rules.ts';
import { pruneSchema, quantizeSchema } from './schema/compress.ts';
import { datasetSchema } from './schema/dataset.ts';
import { distillSchema } from './schema/distill.ts';
import { exportSchema } from './schema/export.ts';
import { count, seed, OPSETS } from './schema/parts.ts';
import { studentSchema } from './schema/student.ts';
import type { StudentInput } from './schema/student.ts';
import { targetSchema } from './schema/target.ts';
import { FILE_OUTPUTS } from './answer-forms.ts';
import { teacherSchema } from './schema/teacher.ts';
import { tfliteSchema } from './schema/tflite.ts';
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
    baseline: z
      .boolean()
      .default(true)
      .describe('Train the same student without the teacher too, its twin, to compare.'),
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
    export: exportSchema,
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
  .superRefine((recipe, context) => {
    for (const { path, ...params } of refusals(recipe, rulesFor(recipe)))
      context.addIssue({ code: 'custom', message: 'against a rule', path: [...path], params });
  })
  .describe('A Limbeck recipe.');

export type Recipe = z.infer<typeof recipeSchema>;
/** Recipe as written: keys with a default may be absent. */
export interface RecipeInput extends Omit<z.input<typeof recipeSchema>, 'teacher' | 'student'> {
  readonly teacher?: TeacherInput | undefined;
  readonly student?: StudentInput | undefined;
}
export type DistillRecipe = Recipe['distill'];

/** JSON Schema of recipes. `reused`: what stands in several places, such as an optimizer, is written once, for editors, or in each place. */
export function recipeJsonSchema(reused: 'ref' | 'inline' = 'ref'): Record<string, unknown> {
  const schema = z.toJSONSchema(recipeSchema, { io: 'input', reused }) as Record<string, unknown>;
  // `name` defaults to the file's name.
  schema['required'] = (schema['required'] as string[]).filter((key) => key !== 'name');
  return schema;
}
