import { z } from 'zod';
import { classesKeys } from '../answers/classes.ts';
import { DECODER_KEYS, DECODER_NAMES } from '../decoders.ts';
import { augmentStep } from './augment.ts';
import { boxSides, boxUnit } from './boxes.ts';
import { count, file, fraction, modelName, modelOption } from './parts.ts';
import { teacherText } from './text.ts';
import { trainingKeys } from './training.ts';

const assistantKeys = { model: modelName, ...trainingKeys };

const trainedKeys = {
  ...assistantKeys,
  augment: z
    .array(
      augmentStep.refine((step) => !('background' in step), {
        error: 'noise of a folder stands under dataset.augment alone',
      }),
    )
    .optional()
    .describe("Random changes of the teacher's training samples; default: dataset.augment."),
};

/** An assistant between teacher and student, which learns from answers to the student's samples. */
export const assistantSchema = z.object(assistantKeys).catchall(modelOption);

/** A teacher that the recipe trains: a model and its training. */
export const teacherTrainingSchema = z
  .object(trainedKeys)
  .catchall(modelOption)
  .describe('Train the teacher with these settings; it is reused as long as nothing that it depends on changes.');

const SOURCES = ['onnx', 'keras', 'folder', 'tfjs', 'savedModel', 'tflite', 'train', 'ensemble', 'logits'] as const;

const fileKeys = {
  folder: file
    .optional()
    .describe(
      'Folder of a Hugging Face model with an ONNX file: config.json, preprocessor_config.json and tokenizer.json say how it is asked; keys beside it win.',
    ),
  onnx: file.optional().describe('ONNX file; beside `folder`, in place of its onnx/model.onnx.'),
  keras: file.optional().describe('File of a Keras model, .keras or .h5; it is read as an ONNX file.'),
  tfjs: file.optional().describe('TensorFlow.js model.json.'),
  savedModel: file.optional().describe('Folder of a TensorFlow SavedModel; needs `npm run setup:tensorflow`.'),
  tflite: file.optional().describe('TFLite file; needs @litertjs/core.'),
  signature: z.string().optional().describe('savedModel: signature to call; default: serving_default.'),
  input: z.string().optional().describe('Name of the input; default: the only one.'),
  output: z
    .string()
    .optional()
    .describe('Name of the output that holds the logits; default: the first, of a savedModel the one named logits.'),
  pooling: z
    .enum(['mean', 'cls'])
    .optional()
    .describe(
      'Embedding: vector of an output with one for each token of a text or each place of a picture: their mean, or the first; default: mean.',
    ),
  layout: z.enum(['auto', 'nchw', 'nhwc']).default('auto').describe('Order of the axes of the image input.'),
  normalize: z
    .strictObject({
      scale: z.number().gt(0).optional().describe('Factor on the raw values; default: 1/255 for 8-bit images, else 1.'),
      mean: z
        .union([z.number(), z.array(z.number()).min(1)])
        .default(0)
        .describe('Mean that is subtracted after scaling.'),
      std: z
        .union([z.number().gt(0), z.array(z.number().gt(0)).min(1)])
        .default(1)
        .describe('Deviation that values are divided by last.'),
    })
    .optional()
    .describe(
      "Normalization of the teacher's input; default: as stated in its file (`preprocessing` in the metadata), none for a file that scales raw values itself, else the student's.",
    ),
  resize: z
    .tuple([count, count])
    .optional()
    .describe(
      "Height and width of the teacher's pictures, read from the picture files if the data are files; default: as stated in its file, else the student's.",
    ),
  cutFrom: z
    .union([count, z.tuple([count, count])])
    .optional()
    .describe(
      'Length of the shorter side, or height and width, to which pictures are resized before their middle of the size `resize` is cut out; default: nothing is cut away.',
    ),
  filter: z
    .enum(['bilinear', 'bicubic', 'lanczos'])
    .optional()
    .describe("Filter that resizes the teacher's pictures, as Pillow has it; default: bilinear."),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .optional()
    .describe("1 for a teacher of grey pictures, 3 for colour; default: as stated in its file, else the student's."),
  outputs: z
    .union([z.enum(['auto', 'logits', 'probabilities']), z.record(z.string(), z.string())])
    .default('auto')
    .describe(
      "Kind of answers; probabilities are turned into logits by their logarithm. For tasks with several fields in an answer: the file's output of each field, as `{ logits: classes, numbers: ages }`; default: outputs of the fields' names. Probabilities of the first field are found by themselves.",
    ),
  classes: z
    .union([z.array(z.string()).min(1), file])
    .optional()
    .describe(
      'Class names in the order of the teacher, if it differs; or a file with a vector of each class (.npy, .npz, .safetensors), for a teacher that answers with an embedding.',
    ),
  logitScale: z
    .number()
    .gt(0)
    .optional()
    .describe('classes as a file: factor on the cosine of embedding and vector of a class; default: 100, as CLIP has.'),
  intermediate: z.array(z.string()).default([]).describe('Names of inner tensors for feature losses.'),
  confirmed: z
    .boolean()
    .optional()
    .describe(
      'true: its settings are right. Without it a run stops if another normalization, layout or order of classes is far better.',
    ),
  precision: z
    .enum(['fp32', 'int8'])
    .optional()
    .describe(
      'int8: a float32 ONNX file is quantized for this run, and refused if its answers differ too much; default: fp32, the unchanged file.',
    ),
};

const member = z.strictObject({ ...fileKeys, weight: z.number().gt(0).default(1).describe('Weight in the mean.') });

const decoderKeys = z
  .strictObject({
    layout: z.enum(DECODER_NAMES).describe('Layout of the outputs, see docs/teachers.md.'),
    unit: boxUnit,
    boxes: boxSides,
    order: z
      .enum(['xyxy', 'yxyx'])
      .optional()
      .describe('ssd: order of the sides of a box; default: xyxy (xmin, ymin, xmax, ymax).'),
    firstLabel: z
      .union([z.literal(0), z.literal(1)])
      .optional()
      .describe('ssd: number of the first class; default: 1, as labels are counted beside a background of 0.'),
    overlap: fraction
      .optional()
      .describe('yolov8, yolox: overlap above which the worse of two boxes of a class is dropped; default: 0.7.'),
  })
  .superRefine(({ layout, ...keys }, context) => {
    for (const [key, layouts] of Object.entries(DECODER_KEYS) as [keyof typeof DECODER_KEYS, readonly string[]][]) {
      if (keys[key] === undefined || layouts.includes(layout)) continue;
      const params = {
        expected: `no such key beside ${layout}: it belongs to ${layouts.join(', ')}`,
        received: keys[key],
      };
      context.addIssue({ code: 'custom', message: 'not read', path: [key], params });
    }
  });

const decoder = z
  .union([z.enum(DECODER_NAMES), decoderKeys])
  .describe(
    "Detection: layout of a detector's outputs, from which its final boxes are read; default: boxes and scores at the student's points.",
  );

/** Keys about reading a source; a key that is ignored would hide a mistake. */
const READ = [
  'signature',
  'input',
  'output',
  'layout',
  'normalize',
  'resize',
  'cutFrom',
  'filter',
  'channels',
  'outputs',
  'classes',
  'logitScale',
  'intermediate',
  'confirmed',
  'precision',
  'weighting',
  'decoder',
] as const;
const READ_OF_ONNX = READ.filter((key) => key !== 'signature' && key !== 'weighting');
const READ_BY: Readonly<Record<(typeof SOURCES)[number], readonly string[]>> = {
  folder: READ,
  onnx: READ_OF_ONNX,
  keras: READ_OF_ONNX,
  tfjs: [
    'normalize',
    'resize',
    'cutFrom',
    'filter',
    'channels',
    'outputs',
    'classes',
    'logitScale',
    'intermediate',
    'confirmed',
  ],
  savedModel: READ.filter((key) => key !== 'weighting' && key !== 'precision'),
  tflite: READ_OF_ONNX.filter((key) => key !== 'precision' && key !== 'intermediate'),
  train: [],
  ensemble: ['weighting', 'confirmed'],
  logits: ['outputs', 'classes', 'confirmed'],
};

export const teacherSchema = z
  .strictObject({
    ...fileKeys,
    decoder: decoder.optional(),
    train: teacherTrainingSchema.optional(),
    ensemble: z
      .array(member.superRefine(oneSource(['onnx', 'keras', 'folder', 'tfjs', 'savedModel', 'tflite'])))
      .min(2)
      .optional()
      .describe('Weighted mean of several teachers.'),
    weighting: z
      .enum(['fixed', 'entropy'])
      .optional()
      .describe('ensemble: by `weight` alone (default), or for each sample with more weight on the surer teachers.'),
    text: teacherText.optional(),
    chain: z
      .array(assistantSchema)
      .min(1)
      .max(10)
      .optional()
      .describe(
        'Assistants trained in sequence, the first by the teacher and each by its predecessor; the last teaches the student.',
      ),
    logits: file
      .optional()
      .describe(
        'Stored logits: a soft-target file written by an earlier run, or a .npy array with a row for each sample of the training file.',
      ),
    ...classesKeys.keys.teacher,
  })
  .superRefine(oneSource(SOURCES))
  .superRefine(refuseBesideDecoder)
  .describe('Source of the soft targets.');

/** Refuses keys about answers with scores for each class of the data beside a detector's layout, whose final boxes alone are read. */
function refuseBesideDecoder(
  value: {
    readonly decoder?: unknown;
    readonly intermediate: readonly string[];
    readonly precision?: string | undefined;
    readonly classes?: unknown;
    readonly outputs: unknown;
  },
  context: z.RefinementCtx,
): void {
  if (value.decoder === undefined) return;
  const refuse = (key: string, expected: string, received: unknown): void =>
    context.addIssue({ code: 'custom', message: 'not read', path: [key], params: { expected, received } });
  if (value.intermediate.length > 0)
    refuse('intermediate', 'none beside decoder: boxes alone teach', value.intermediate);
  if (value.precision === 'int8') refuse('precision', 'fp32 beside decoder', value.precision);
  if (typeof value.classes === 'string') refuse('classes', 'a list of names beside decoder', 'a file with vectors');
  if (typeof value.outputs === 'string' && value.outputs !== 'auto')
    refuse('outputs', 'names of outputs beside decoder, whose layout says what they are', value.outputs);
}

function oneSource(keys: readonly string[]) {
  return (value: Record<string, unknown>, context: z.RefinementCtx): void => {
    const present = keys.filter((key) => value[key] !== undefined);
    if (present.length === 1) {
      refuseUnread(value, present[0] as (typeof SOURCES)[number], context);
      if (value['logitScale'] !== undefined && typeof value['classes'] !== 'string') {
        const params = {
          expected: 'a file with vectors as teacher.classes beside it',
          received: 'teacher.logitScale alone',
        };
        context.addIssue({ code: 'custom', message: 'not read', path: ['logitScale'], params });
      }
      refuseCut(value, context);
      if (value['logits'] !== undefined && typeof value['classes'] === 'string') {
        const params = { expected: 'a list of class names beside teacher.logits', received: 'a file with vectors' };
        context.addIssue({ code: 'custom', message: 'not read', path: ['classes'], params });
      }
      if (value['precision'] === 'int8' && ((value['intermediate'] ?? []) as []).length > 0) {
        const params = {
          expected: 'fp32 beside teacher.intermediate: inner tensors are those of the float file',
          received: 'int8',
        };
        context.addIssue({ code: 'custom', message: 'not read', path: ['precision'], params });
      }
      return;
    }
    const expected = `exactly one of ${keys.join(', ')}`;
    context.addIssue({
      code: 'custom',
      message: 'not one source',
      params: { expected, received: present.length === 0 ? 'none of them' : present.join(' and ') },
    });
  };
}

/** Refuses `cutFrom` and `filter` without `resize`, and a cut that is larger than the picture that it is made from. */
function refuseCut(value: Record<string, unknown>, context: z.RefinementCtx): void {
  const { resize, cutFrom } = value as { resize?: number[]; cutFrom?: number | number[] };
  const hint = 'Set `teacher.resize` to the height and width of the model, and cutFrom to what it is cut from.';
  const refuse = (key: string, expected: string, received: string): void =>
    context.addIssue({ code: 'custom', message: 'not read', path: [key], params: { expected, received, hint } });
  for (const key of ['cutFrom', 'filter'] as const)
    if (value[key] !== undefined && resize === undefined)
      refuse(key, 'teacher.resize beside it, the size that the teacher sees', 'none');
  const whole = typeof cutFrom === 'number' ? [cutFrom, cutFrom] : cutFrom;
  if (whole !== undefined && resize?.some((side, i) => side > whole[i]!))
    refuse('cutFrom', `at least teacher.resize, ${resize.join('x')}`, whole.join('x'));
}

function refuseUnread(
  value: Record<string, unknown>,
  source: (typeof SOURCES)[number],
  context: z.RefinementCtx,
): void {
  const isGiven = (key: string): boolean =>
    value[key] !== undefined &&
    value[key] !== 'auto' &&
    !(key === 'precision' && value[key] === 'fp32') &&
    !(key === 'intermediate' && (value[key] as []).length === 0);
  for (const key of READ.filter((name) => isGiven(name) && !READ_BY[source].includes(name))) {
    const beside = READ_BY[source].join(', ');
    const expected =
      source === 'ensemble'
        ? key === 'decoder'
          ? 'a single detector: the boxes of several have no mean'
          : 'it inside each teacher of the ensemble'
        : `no such key beside ${source}${beside && ` (there are ${beside})`}`;
    const params = { expected, received: `teacher.${key}` };
    context.addIssue({ code: 'custom', message: 'not read', path: [key], params });
  }
}

/** Teacher as written. zod's own type gives every key, even `optimizer`, the type of model options. */
export interface TeacherInput extends Omit<z.input<typeof teacherSchema>, 'train' | 'chain'> {
  readonly train?: TrainingInput | undefined;
  readonly chain?: readonly AssistantInput[] | undefined;
}

type AssistantInput = z.input<z.ZodObject<typeof assistantKeys>> & Readonly<Record<string, unknown>>;
type TrainingInput = z.input<z.ZodObject<typeof trainedKeys>> & Readonly<Record<string, unknown>>;

export type TeacherRecipe = z.infer<typeof teacherSchema>;
export type TeacherFileRecipe = z.infer<typeof member> & { readonly decoder?: DecoderRecipe | undefined };
export type DecoderRecipe = z.infer<typeof decoder>;
export type AssistantRecipe = z.infer<typeof assistantSchema>;
export type TeacherTrainingRecipe = z.infer<typeof teacherTrainingSchema>;
