import { z } from 'zod';
import { keysOfAnswers } from '../answer-forms.ts';
import { DECODER_KEYS, DECODER_NAMES } from '../decoders.ts';
import { without } from '../rule.ts';
import type { KeyRule } from '../rule.ts';
import { teacherStep } from './augment.ts';
import { boxSides, boxUnit } from './boxes.ts';
import { count, file, fraction, modelName, modelOption } from './parts.ts';
import { teacherText } from './text.ts';
import { assistantKeys as assistantTraining, trainingKeys } from './training.ts';

const assistantKeys = { model: modelName, ...assistantTraining };

const trainedKeys = {
  model: modelName,
  ...trainingKeys,
  augment: z
    .array(teacherStep)
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

const fileSchema = z.strictObject(fileKeys);

const member = fileSchema
  .omit({ signature: true, input: true, logitScale: true, intermediate: true, confirmed: true })
  .extend({ weight: z.number().gt(0).default(1).describe('Weight in the mean.') });

const decoderKeys = z.strictObject({
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
  'decoder',
] as const;
const READ_OF_ONNX = READ.filter((key) => key !== 'signature');
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
  savedModel: READ.filter((key) => key !== 'precision'),
  tflite: READ_OF_ONNX.filter((key) => key !== 'precision' && key !== 'intermediate'),
  train: [],
  ensemble: ['confirmed'],
  logits: ['outputs', 'classes', 'confirmed'],
};

export const teacherSchema = z
  .strictObject({
    ...fileKeys,
    decoder: decoder.optional(),
    train: teacherTrainingSchema.optional(),
    ensemble: z.array(member).min(2).optional().describe('Weighted mean of several teachers.'),
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
    ...keysOfAnswers('teacher'),
  })
  .describe('Source of the soft targets.');

type Given = Readonly<Record<string, unknown>>;
const sourcesIn = (asked: Given): (typeof SOURCES)[number][] => SOURCES.filter((key) => asked[key] !== undefined);

/** Rule that asks for exactly one source. */
const oneOf = (key: string, sources: readonly string[]): KeyRule => ({
  keys: [key],
  when: (asked: Given) => sourcesIn(asked).length !== 1,
  because: `exactly one of ${sources.join(', ')}`,
  received: (asked: Given) => sourcesIn(asked).join(' and ') || 'none of them',
});

/** Values by which a key does nothing. */
const usualOf = (key: string): readonly unknown[] => (key === 'precision' ? ['auto', 'fp32'] : ['auto']);

/** Rule that refuses a key about reading a source that other sources alone have. */
const readOf = (key: (typeof READ)[number]): KeyRule => ({
  keys: [`asked.${key}`, 'asked'],
  when: (value: unknown, asked: Given) => {
    const [source, ...others] = sourcesIn(asked);
    if (source === undefined || others.length > 0 || READ_BY[source].includes(key)) return false;
    return !usualOf(key).includes(value) && !(key === 'intermediate' && (value as []).length === 0);
  },
  because: (_value: unknown, asked: Given) => {
    const [source] = sourcesIn(asked);
    const read = READ_BY[source!].join(', ');
    if (source !== 'ensemble') return `no such key beside ${source}${read && ` (there are ${read})`}`;
    return key === 'decoder'
      ? 'a single detector: the boxes of several have no mean'
      : 'it inside each teacher of the ensemble';
  },
  received: `teacher.${key}`,
});

const whole = (cut: number | readonly number[]): readonly number[] => (typeof cut === 'number' ? [cut, cut] : cut);
const CUT = 'Set `teacher.resize` to the height and width of the model, and cutFrom to what it is cut from.';
const FILES = SOURCES.filter((key) => !['train', 'ensemble', 'logits'].includes(key));
const VECTORS = 'a file with vectors';

/** Rule about answers with scores for each class of the data beside a detector's layout, whose final boxes alone are read. */
const besideDecoder = (
  key: string,
  isWrong: (value: never) => boolean,
  because: string,
  received?: string,
): KeyRule => ({
  keys: [`teacher.${key}`, 'teacher.decoder'],
  when: (value: unknown, given: unknown) => given !== undefined && isWrong(value as never),
  because,
  ...(received !== undefined && { received }),
});

export const teacherRules: readonly KeyRule[] = [
  oneOf('teacher', SOURCES),
  oneOf('teacher.ensemble.*', FILES),
  ...READ.map(readOf),
  {
    keys: ['asked.logitScale', 'asked.classes'],
    when: (_scale: number, classes?: unknown) => typeof classes !== 'string',
    because: 'a file with vectors as teacher.classes beside it',
    received: 'teacher.logitScale alone',
  },
  ...['cutFrom', 'filter'].map((key): KeyRule => ({
    ...without(`asked.${key}`, 'asked.resize', 'teacher.resize beside it, the size that the teacher sees', 'none'),
    hint: CUT,
  })),
  {
    keys: ['asked.cutFrom', 'asked.resize'],
    when: (cut: number | readonly number[], resize: readonly number[] = []) =>
      resize.some((side, i) => side > whole(cut)[i]!),
    because: (_cut: unknown, resize: readonly number[]) => `at least teacher.resize, ${resize.join('x')}`,
    received: (cut: number | readonly number[]) => whole(cut).join('x'),
    hint: CUT,
  },
  {
    keys: ['teacher.classes', 'teacher.logits'],
    when: (classes: unknown, logits?: string) => typeof classes === 'string' && logits !== undefined,
    because: 'a list of class names beside teacher.logits',
    received: VECTORS,
  },
  {
    keys: ['asked.precision', 'asked.intermediate'],
    when: (precision: string, intermediate: readonly string[] = []) => precision === 'int8' && intermediate.length > 0,
    because: 'fp32 beside teacher.intermediate: inner tensors are those of the float file',
  },
  besideDecoder(
    'intermediate',
    (names: readonly string[]) => names.length > 0,
    'none beside decoder: boxes alone teach',
  ),
  besideDecoder('precision', (precision: string) => precision === 'int8', 'fp32 beside decoder'),
  besideDecoder(
    'classes',
    (classes: unknown) => typeof classes === 'string',
    'a list of names beside decoder',
    VECTORS,
  ),
  besideDecoder(
    'outputs',
    (outputs: unknown) => typeof outputs === 'string' && outputs !== 'auto',
    'names of outputs beside decoder, whose layout says what they are',
  ),
  ...Object.entries(DECODER_KEYS).map(([key, layouts]: readonly [string, readonly string[]]): KeyRule => ({
    keys: [`teacher.decoder.${key}`, 'teacher.decoder.layout'],
    when: (_value: unknown, layout: string) => !layouts.includes(layout),
    because: (_value: unknown, layout: string) => `no such key beside ${layout}: it belongs to ${layouts.join(', ')}`,
    isSpare: true,
  })),
];

/** Teacher as written. zod's own type gives every key, even `optimizer`, the type of model options. */
export interface TeacherInput extends Omit<z.input<typeof teacherSchema>, 'train' | 'chain'> {
  readonly train?: TrainingInput | undefined;
  readonly chain?: readonly AssistantInput[] | undefined;
}

type AssistantInput = z.input<z.ZodObject<typeof assistantKeys>> & Readonly<Record<string, unknown>>;
type TrainingInput = z.input<z.ZodObject<typeof trainedKeys>> & Readonly<Record<string, unknown>>;

export type TeacherRecipe = z.infer<typeof teacherSchema>;
export type TeacherFileRecipe = z.infer<typeof fileSchema> & { readonly decoder?: DecoderRecipe | undefined };
type DecoderRecipe = z.infer<typeof decoder>;
export type AssistantRecipe = z.infer<typeof assistantSchema>;
export type TeacherTrainingRecipe = z.infer<typeof teacherTrainingSchema>;
