import { z } from 'zod';
import { nearest } from '../../base/errors.ts';
import { boxSides, boxUnit } from './boxes.ts';
import { file, modelName, modelOption } from './parts.ts';

const SOURCES = ['model', 'module', 'tfjs', 'onnx', 'keras', 'folder'] as const;

/** Keys for a student from an ONNX file; ignored for other sources. */
const OF_ONNX = ['output', 'outputs', 'decoder', 'trainable'] as const;

/** Keys for training a model file. */
const OF_FILES = ['head', 'batchNorm', 'freeze', 'learningRates'] as const;

/** Model files whose layers stand under the neck and head of `model`. */
const backbone = z
  .strictObject({
    onnx: file.optional().describe('ONNX file with the layers.'),
    keras: file.optional().describe('File of a Keras model, .keras or .h5; it is read as an ONNX file.'),
    layers: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Layers that give the feature maps, from the largest to the smallest; default: the last of each stride.',
      ),
    freeze: z
      .union([
        z.enum(['none', 'all', 'norms']),
        z.strictObject({ until: z.string().min(1).describe('Name of a layer.') }),
      ])
      .default('none')
      .describe('Weights that are not trained: all of the file, its batch norms, or a layer and all before it.'),
    learningRate: z
      .number()
      .positive()
      .max(100)
      .default(1)
      .describe('Factor of the learning rate of the weights of the file.'),
  })
  .refine(({ onnx, keras }) => (onnx === undefined) !== (keras === undefined), {
    params: { expected: 'exactly one of onnx, keras' },
  })
  .optional()
  .describe(
    'Layers of a trained model file in place of the first layers of `model`: det-nano, det-small, seg-lraspp or mobilenet-v2.',
  );

const keys = {
  model: modelName.optional(),
  backbone,
  module: file
    .optional()
    .describe(
      'JavaScript module that has `export default ({ tf, inputShape, classes, fields, seed }) => model`, of tfjs-layers; the model has an output for each of `fields`, `{ name, shape }`, whose last layer has its name.',
    ),
  tfjs: file.optional().describe('TensorFlow.js layers model (model.json) to start from.'),
  onnx: file.optional().describe('ONNX file to start from: its float32 weights are trained.'),
  keras: file.optional().describe('File of a Keras model to start from, .keras or .h5; it is read as an ONNX file.'),
  folder: file
    .optional()
    .describe(
      'Folder of a Hugging Face model with an ONNX file to start from; it says how the data are prepared where `dataset` does not.',
    ),
  output: z
    .string()
    .optional()
    .describe(
      'onnx: name of the output with the logits that are trained; other outputs stay in the exported files. Default: the only output.',
    ),
  outputs: z
    .strictObject({
      boxes: z.string().optional().describe('Output with the boxes, [batch, points, 4].'),
      scores: z.string().optional().describe('Output with the scores, [batch, points, classes].'),
    })
    .optional()
    .describe(
      'onnx, detection: names of the outputs with boxes, as shares of the picture, and with logits or probabilities at our points; default: boxes and scores.',
    ),
  decoder: z
    .union([
      z.literal('yolov8'),
      z.strictObject({
        layout: z.literal('yolov8').describe('Layout of the output, see docs/teachers.md.'),
        unit: boxUnit,
        boxes: boxSides,
      }),
    ])
    .optional()
    .describe('onnx, detection: layout of the only output, or of `output`, if boxes and scores stand in one.'),
  head: z
    .enum(['keep', 'replace'])
    .optional()
    .describe(
      'onnx, tfjs: keep the last layer of the file, which must fit, or re-initialize it for the classes of the data; default: keep.',
    ),
  freeze: z
    .array(z.string().min(1))
    .optional()
    .describe('onnx, tfjs: names of weights that are not trained; `*` stands for any characters. Default: none.'),
  trainable: z
    .array(z.string().min(1))
    .optional()
    .describe(
      'onnx: names of further stored numbers to train, among those that the log lists as not trained; `*` stands for any characters. Default: none.',
    ),
  learningRates: z
    .record(z.string().min(1), z.number().positive())
    .optional()
    .describe(
      'onnx, tfjs: factors of the learning rate, by names of weights in which `*` stands for any characters; the last matching name counts.',
    ),
  batchNorm: z
    .enum(['train', 'frozen'])
    .optional()
    .describe('onnx, tfjs: train batch norms and let them follow the data, or leave them unchanged; default: train.'),
};

export const studentSchema = z
  .object(keys)
  .catchall(modelOption)
  .superRefine((student, context) => {
    const present = SOURCES.filter((key) => student[key] !== undefined);
    if (student.backbone !== undefined && student.model === undefined && present.length === 1) {
      const params = { expected: 'no such key without a named model', received: 'student.backbone' };
      context.addIssue({ code: 'custom', message: 'not read', path: ['backbone'], params });
    }
    const unread = [
      ...OF_ONNX.map((key) => ({ key, of: 'onnx' })),
      ...OF_FILES.map((key) => ({ key, of: 'onnx and tfjs' })),
    ].filter(({ key }) => student[key] !== undefined);
    if (present.length === 1) {
      const [source] = present;
      if (source === 'onnx' || source === 'keras' || source === 'folder') return;
      for (const { key, of } of unread) {
        if (source === 'tfjs' && of !== 'onnx') continue;
        const params = { expected: `no such key beside ${source}: it belongs to ${of}`, received: `student.${key}` };
        context.addIssue({ code: 'custom', message: 'not read', path: [key], params });
      }
      return;
    }
    const others = Object.keys(student).filter((key) => student[key] !== undefined);
    const meant =
      present.length > 0 ? undefined : others.map((key) => nearest(key, SOURCES)).find((key) => key !== undefined);
    const params = {
      ...(meant !== undefined && { hint: `Did you mean ${meant}?` }),
      expected: `exactly one of ${SOURCES.join(', ')}`,
      received:
        present.length > 0
          ? present.join(' and ')
          : others.length > 0
            ? `none of them but ${others.join(', ')}`
            : 'none of them',
    };
    context.addIssue({ code: 'custom', message: 'not one source', params });
  })
  .describe('The small model that ships.');
/** Student as written. zod's own type gives every key, even `freeze`, the type of model options. */
export type StudentInput = z.input<z.ZodObject<typeof keys>> & Readonly<Record<string, unknown>>;

/** Refuses keys about the student in a recipe without one. */
export function refuseWithoutStudent(
  {
    student,
    prune,
    quantize,
    export: formats,
    outputs,
    repeats,
    report,
  }: {
    readonly student?: unknown;
    readonly prune: readonly unknown[];
    readonly quantize: readonly unknown[];
    readonly export: readonly string[];
    readonly outputs?: string | undefined;
    readonly repeats: number;
    readonly report: { readonly pruningSensitivity: boolean };
  },
  context: z.RefinementCtx,
): void {
  if (student !== undefined) return;
  const refuse = (path: readonly string[], expected: string): void =>
    context.addIssue({ code: 'custom', message: 'not read', path: [...path], params: { expected, received: 'no student' } }); // prettier-ignore
  if (prune.length > 0) refuse(['prune'], 'a student that is pruned');
  if (quantize.length > 0)
    refuse(['quantize'], 'a student that is quantized; for a file alone there is `limbeck quantize`');
  if (formats.includes('tflite')) refuse(['export'], 'a student, of which TFLite files are made');
  if (outputs !== undefined) refuse(['outputs'], 'a student, whose files answer');
  if (repeats > 1) refuse(['repeats'], 'a student that is trained so often');
  if (report.pruningSensitivity) refuse(['report', 'pruningSensitivity'], 'a student whose layers are pruned');
}
