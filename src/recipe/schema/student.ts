import { z } from 'zod';
import { nearest } from '../../base/errors.ts';
import { beside } from '../rule.ts';
import type { KeyRule } from '../rule.ts';
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

export const studentSchema = z.object(keys).catchall(modelOption).describe('The small model that ships.');
/** Student as written. zod's own type gives every key, even `freeze`, the type of model options. */
export type StudentInput = z.input<z.ZodObject<typeof keys>> & Readonly<Record<string, unknown>>;

/** Rule that refuses what a recipe without a student asks of it. */
function ofStudent(key: string, isAsked: (value: never) => boolean, because: string): KeyRule {
  const when = (value: never, student?: object): boolean => student === undefined && isAsked(value);
  return { keys: [key, 'student'], when, because, received: 'no student' };
}

const isAny = (list: readonly unknown[]): boolean => list.length > 0;
const keysIn = (student: object): string[] =>
  Object.entries(student).flatMap(([key, value]) => (value === undefined ? [] : [key]));
const sourcesIn = (student: object): string[] => keysIn(student).filter((key) => SOURCES.some((name) => name === key));

/** Rule that refuses a key beside other sources than those that read it. */
function readBy(key: string, of: string, readers: readonly string[]): KeyRule {
  return {
    keys: [`student.${key}`, 'student'],
    when: (_value: unknown, student: object) => {
      const [source, ...others] = sourcesIn(student);
      return source !== undefined && others.length === 0 && !readers.includes(source);
    },
    because: (_value: unknown, student: object) => `no such key beside ${sourcesIn(student)[0]}: it belongs to ${of}`,
    received: `student.${key}`,
    isSpare: true,
  };
}

const LAYOUT = 'knows weights as layers keep them, [height, width, in, out]';
const ONNX = ['onnx', 'keras', 'folder'];

export const studentRules: readonly KeyRule[] = [
  {
    keys: ['student'],
    when: (student: object) => sourcesIn(student).length !== 1,
    because: `exactly one of ${SOURCES.join(', ')}`,
    received: (student: object) => {
      const [sources, others] = [sourcesIn(student), keysIn(student)];
      if (isAny(sources)) return sources.join(' and ');
      return isAny(others) ? `none of them but ${others.join(', ')}` : 'none of them';
    },
    hint: (student: object) => {
      const [meant] = isAny(sourcesIn(student)) ? [] : keysIn(student).flatMap((key) => nearest(key, SOURCES) ?? []);
      return meant === undefined ? undefined : `Did you mean ${meant}?`;
    },
  },
  ...OF_ONNX.map((key) => readBy(key, 'onnx', ONNX)),
  readBy('backbone', 'model', ['model']),
  ...OF_FILES.map((key) => readBy(key, 'onnx and tfjs', [...ONNX, 'tfjs'])),
  ...['onnx', 'backbone'].flatMap((file): KeyRule[] => [
    {
      keys: ['studentOptimizer.type', `student.${file}`],
      when: (type: string, of?: unknown) => type === 'muon' && of !== undefined,
      because: `another rule beside student.${file}: muon ${LAYOUT}`,
      hint: 'Choose adamw.',
    },
    beside(
      'distill.optimizer.maxNorm',
      `student.${file}`,
      `none beside student.${file}: the limit ${LAYOUT}`,
      'Set weightDecay instead.',
    ),
  ]),
  ofStudent('prune', isAny, 'a student that is pruned'),
  ofStudent('quantize', isAny, 'a student that is quantized; for a file alone there is `limbeck quantize`'),
  ofStudent(
    'export',
    (formats: unknown[]) => formats.some((format) => format !== 'onnx'),
    'a student, of which TFLite files and streams are made',
  ),
  ofStudent('outputs', () => true, 'a student, whose files answer'),
  ofStudent('repeats', (count: number) => count > 1, 'a student that is trained so often'),
  ofStudent('report.pruningSensitivity', (isWanted: boolean) => isWanted, 'a student whose layers are pruned'),
];
