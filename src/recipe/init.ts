import { printable } from '../base/errors.ts';
import { dataType } from './data-types.ts';
import { KINDS } from './init-kinds.ts';
import type { Kind } from './init-kinds.ts';
import { DEFAULT_TASK, taskRow } from './task.ts';
import type { TaskName } from './task.ts';
import { USUAL_EPOCHS, usualEpochs } from './steps.ts';
import { yamlText } from './yaml.ts';

export interface InitAnswers {
  readonly type: string;
  /** Default: classification. */
  readonly task?: TaskName;
  readonly train: string;
  readonly labels: string;
  readonly test: string;
  readonly testLabels: string;
  /** Validation data and their labels; default: a part of train. */
  readonly validation?: string | undefined;
  readonly validationLabels?: string | undefined;
  /** Splits in the folder of `train`, a data set of the hub. */
  readonly within?: readonly HubSplit[] | undefined;
  /** Folder or file of samples without labels; default: none. */
  readonly unlabelled?: string | undefined;
  /** True for data without labels, of which a student learns the vectors of a teacher. */
  readonly isUnlabelled?: boolean;
  /** Column of the labels, or several; empty for the default. */
  readonly label: string | readonly string[];
  /** Undefined: train one. */
  readonly teacher?: InitTeacher | undefined;
  readonly model: string;
  /** Default: none is known, ONNX is written. */
  readonly targets?: readonly InitTarget[] | undefined;
  /** Keys that the data's files require: columns of texts and words, rate and length of sounds. */
  readonly form?: SeenForm | undefined;
}

/** Splits of a data set as the hub has it. */
export type HubSplit = 'train' | 'validation' | 'test';

/** A teacher that is given by files, under its key of a recipe. */
export interface InitTeacher {
  readonly key: 'onnx' | 'keras' | 'tflite' | 'tfjs' | 'savedModel' | 'folder' | 'logits';
  readonly name: string;
  /** Size of its file; absent for a folder. */
  readonly sizeBytes?: number;
  /** tokenizer.json that it reads texts by, as the recipe names it. */
  readonly tokenizer?: string;
}

/** Places where a student can run. */
const TARGETS = ['browser', 'android', 'ios', 'server'] as const;
export type InitTarget = (typeof TARGETS)[number];

/** Targets in a list with commas; `wrong`: message about a name that is none. */
export function targetsIn(list: string): { readonly names: readonly InitTarget[]; readonly wrong?: string } {
  const words = list.split(',').flatMap((word) => word.trim().toLowerCase() || []);
  const other = words.find((word) => !(TARGETS as readonly string[]).includes(word));
  const names = TARGETS.filter((target) => words.includes(target));
  return other === undefined
    ? { names }
    : { names, wrong: `expected some of ${TARGETS.join(', ')}, received ${other}` };
}

/** Keys that a data set's files require. */
export interface SeenForm {
  /** Texts; with their column in a table, or their two columns. */
  readonly text?: { readonly column?: string | string[] };
  /** Tagged words, with their columns; `tags` is undefined for the default column. */
  readonly words?: { readonly column: string | number; readonly tags?: string | number; readonly why: string };
  /** Categorical columns, and columns of nearly unique words, which are ignored. */
  readonly categorical?: readonly (string | number)[] | undefined;
  readonly ignore?: readonly (string | number)[] | undefined;
  /** Columns of dates, which are read without a key. */
  readonly dates?: readonly string[] | undefined;
  /** Columns that the recipe uses, for types of data whose recipes cannot name columns to ignore. */
  readonly features?: readonly string[];
  /** Reasons for `ignore` or `features`, one for each column that is left out, such as `day holds dates`. */
  readonly leftOut?: readonly string[];
  /** Number of samples of train, nearly; absent if it is not cheap to count. */
  readonly samples?: number;
  /** Names of all columns of a table. */
  readonly columns?: readonly string[];
  readonly delimiter?: string;
  /** False if the first line holds data. */
  readonly header?: false;
  /** The last column, taken for the label because none is called `label`. */
  readonly lastLabel?: string;
  /** Set if some columns have missing values. */
  readonly missing?: 'mean';
  /** Pictures: a common [height, width] if sizes differ, and channels if only some are grey. */
  readonly resize?: { readonly size: readonly [height: number, width: number]; readonly why: string };
  readonly channels?: 3;
  /** Masks: the file that names their classes; null if there is none. */
  readonly classFile?: string | null;
  /** Arrays: their names in an archive, and the kind of a sample other than that of the type: a table row or a time series. */
  readonly arrays?: { readonly samples: string; readonly labels: string };
  readonly sample?: 'table' | 'series' | 'array' | 'picture';
  /** Arrays of time series whose channels stand before the steps. */
  readonly layout?: 'ncw';
  /** A table in time, whose rows are cut into windows. */
  readonly window?: { readonly steps: number; readonly stride: number; readonly group?: string; readonly why: string };
  /** Sounds: values per second, and a length that covers most of them. */
  readonly rate?: number;
  readonly seconds?: number;
}

/** Text of a recipe to start from: required keys, and likely next ones as comments. */
export function recipeText({
  type,
  task = DEFAULT_TASK,
  train,
  labels,
  test,
  testLabels,
  validation = '',
  validationLabels = '',
  unlabelled = '',
  within = [],
  isUnlabelled = false,
  label,
  teacher,
  model,
  targets = [],
  form = {},
}: InitAnswers): string {
  const source = (samples: string, names: string): string => {
    if (form.arrays !== undefined)
      return `{ file: ${yamlText(samples)}, samples: ${yamlText(form.arrays.samples)}, labels: ${yamlText(form.arrays.labels)} }`;
    const { besideLabels } = dataType(type);
    return besideLabels === undefined || names === ''
      ? yamlText(samples)
      : `{ ${besideLabels}: ${yamlText(samples)}, labels: ${yamlText(names)} }`;
  };
  const kind = kindOf(type, form, task);
  // No group is divided among splits: a tenth of ten people would be a single person.
  const share = form.window?.group === undefined ? 0.1 : 0.2;
  return [
    '# A Limbeck recipe. Every key has a default; `limbeck schema` lists them all. Relative paths start at this file.',
    'seed: 0 # all randomness follows from it',
    '',
    'dataset:',
    `  type: ${type}`,
    ...(task === DEFAULT_TASK ? [] : [`  task: ${task}`]),
    `  train: ${source(train, labels)}${within.length === 0 ? '' : ` # its splits: ${within.join(', ')}`}`,
    ...(test === '' && within.includes('test')
      ? []
      : [
          test === ''
            ? `  testFraction: ${share} # no test data was named: hold out a part of train`
            : `  test: ${source(test, testLabels)}`,
        ]),
    ...(unlabelled === '' ? [] : [`  unlabelled: ${yamlText(unlabelled)} # samples that the teacher answers for`]),
    ...(within.includes('validation')
      ? []
      : validation !== ''
        ? [
            `  validation: ${source(validation, validationLabels)} # models are chosen on it; the test split is used once, at the end`,
          ]
        : [
            `  validation: ${share} # models are chosen on this part of train; the test split is used once, at the end`,
          ]),
    ...(isUnlabelled
      ? ['  labelled: 0 # no labels: the student learns the vectors of the teacher, and scores say how alike both are']
      : []),
    ...(taskRow(task).beginsData ?? []).map((line) => `  ${line}`),
    ...labelLines(label),
    ...formLines(form, taskRow(task).sharesTokens ? teacher?.tokenizer : undefined),
    ...KINDS[kind].augment,
    '',
    ...teacherLines(teacher, kind),
    '',
    '# The small model that ships; `limbeck inspect --models` lists models and their options.',
    isModelFile(model)
      ? `student: { ${model.endsWith('.onnx') ? 'onnx' : 'keras'}: ${yamlText(model)}, head: keep } # head: replace draws the last layer anew for the classes of the data`
      : `student: { model: ${yamlText(model)}${optionsText(model, form.columns?.length, teacher?.sizeBytes)}`,
    '',
    'distill:',
    ...taskRow(task).begins.map((line) => `  ${line}`),
    `  ${epochsText(form.samples, kind === 'masks' ? 16 : 32)}`,
    `  batchSize: ${kind === 'masks' ? 16 : 32}`,
    '  optimizer: { type: adamw, learningRate: 0.002, schedule: cosine }',
    '',
    ...exportLines(targets, task, kind),
    '# repeats: 3 # train with three seeds: a gain that is larger than chance can explain gets the verdict BEATS',
    '',
  ]
    .map(inOneLine)
    .join('\n');
}

/** True for the name of a file that a student begins with, rather than of a model. */
export function isModelFile(name: string): boolean {
  return /\.(onnx|keras|h5)$/.test(name);
}

/** Epochs by their steps: of few samples ten epochs are a hundred steps. */
function epochsText(samples: number | undefined, batchSize: number): string {
  const epochs = samples === undefined ? USUAL_EPOCHS : usualEpochs(samples, batchSize);
  if (epochs === USUAL_EPOCHS) return `epochs: ${epochs}`;
  return `epochs: ${epochs} # ${epochs * Math.ceil(samples! / batchSize)} steps of ${batchSize} samples; fewer leave a net of random weights unfinished`;
}

/** Units of the first hidden layer of an mlp; the second has half as many. */
const HIDDEN = [256, 128, 64, 32, 16, 8];

/** Models whose first layers begin with starting weights at an `alpha` that is not their default. */
const BEGUN_AT_035 = ['seg-lraspp', 'mobilenet-v2'];

/** Rest of the student's line in the recipe: for a small teacher, hidden layers that keep the student no larger than it. */
function optionsText(model: string, columns: number | undefined, teacherBytes = Infinity): string {
  if (BEGUN_AT_035.includes(model))
    return ', alpha: 0.35 } # pictures in colour: begins with starting weights, docs/backbone.md';
  if (model !== 'mlp' || columns === undefined) return ' }';
  // By default the first layer has a unit for each number of a row, rounded up to a power of two.
  const [usual = HIDDEN[0]!] = HIDDEN.filter((units) => units < 2 * Math.max(columns, 16));
  const units =
    HIDDEN.find((some) => some <= usual && 4 * (columns * some + some ** 2 / 2) <= teacherBytes) ?? HIDDEN.at(-1)!;
  if (units >= Math.min(usual, HIDDEN[0]!)) return ' }';
  return `, hidden: [${units}, ${units / 2}] } # about as large as the teacher; more units are more accurate`;
}

function kindOf(type: string, form: SeenForm, task?: TaskName): Kind {
  // Files of boxes in COCO's format may have masks too.
  if (taskRow(task).answersPer === 'pixel') return 'masks';
  if (form.words !== undefined) return 'words';
  if (form.text !== undefined) return 'text';
  if (form.window !== undefined) return 'series';
  return form.sample ?? dataType(type).holds;
}

/** Default architecture of a student for a type of data and a task. */
export function usualStudent(type: string, form: SeenForm = {}, task?: TaskName): string {
  return KINDS[kindOf(type, form, task)].student;
}

/** `tokenizer`: that of a teacher whose vectors a student of texts learns. */
function formLines(form: SeenForm, tokenizer?: string): string[] {
  const {
    text,
    words,
    categorical,
    ignore,
    features,
    leftOut = [],
    delimiter,
    header,
    missing,
    resize,
    channels,
    classFile,
    rate,
    seconds,
    layout,
    window,
  } = form;
  const listed = (names: readonly (string | number)[]): string =>
    `[${names.map((name) => (typeof name === 'number' ? name : yamlText(name))).join(', ')}]`;
  const column =
    text?.column === undefined
      ? ''
      : `column: ${typeof text.column === 'string' ? yamlText(text.column) : listed(text.column)}, `;
  return [
    ...(delimiter === undefined ? [] : [`  delimiter: ${JSON.stringify(delimiter)}`]),
    ...(header === undefined ? [] : ['  header: false # the first line holds data; the label is the last column']),
    ...(resize === undefined
      ? []
      : [
          `  resize: [${resize.size.join(', ')}] # height and width that all are scaled to; the files have ${resize.why}`,
        ]),
    ...(channels === undefined ? [] : [`  channels: ${channels} # grey files are read as colour, as the others are`]),
    ...(classFile === undefined
      ? []
      : classFile === null
        ? [
            '  # classes: [background, person] # names in the order of the numbers in masks; or a file labels.txt beside images, a name on each line',
          ]
        : [`  # classes: those of ${classFile}, whose lines are in the order of the numbers in masks`]),
    ...(text === undefined
      ? []
      : tokenizer === undefined
        ? [`  text: { ${column}tokenizer: hashed } # or the file tokenizer.json of Hugging Face: docs/samples/texts.md`]
        : [`  text: { ${column}tokenizer: ${yamlText(tokenizer)}, length: 128 } # tokens; longer texts are cut`]),
    ...(words === undefined
      ? []
      : [
          ...(typeof words.tags === 'number' ? [`  label: ${words.tags}`] : []),
          `  text: { column: ${typeof words.column === 'number' ? words.column : yamlText(words.column)}, tokenizer: bytes, length: 256 } # or the file tokenizer.json of Hugging Face: docs/samples/texts.md`,
        ]),
    ...(categorical === undefined ? [] : [`  categorical: ${listed(categorical)} # columns of words`]),
    ...(ignore === undefined ? [] : [`  ignore: ${listed(ignore)} # ${leftOut.join('; ')}`]),
    ...(features === undefined ? [] : [`  features: ${listed(features)} # ${leftOut.join('; ')}`]),
    ...(missing === undefined
      ? []
      : [`  missing: ${missing} # of the column, where a value is empty; or zero; drop leaves such rows out`]),
    ...(layout === undefined
      ? []
      : [`  layout: ${layout} # samples, channels, steps; nwc: the steps before the channels`]),
    ...(window === undefined
      ? []
      : [
          `  window: { steps: ${window.steps}, stride: ${window.stride}${window.group === undefined ? '' : `, group: ${yamlText(window.group)}`} } # rows of a sample, rows from one to the next; a group is in one split: docs/samples/sequences.md`,
        ]),
    ...(rate === undefined ? [] : [`  rate: ${rate} # values a second; sounds of another rate are resampled`]),
    ...(seconds === undefined ? [] : [`  seconds: ${seconds} # longer sounds are cut to their middle`]),
  ];
}

function labelLines(label: string | readonly string[]): string[] {
  if (label.length === 0) return [];
  return [`  label: ${typeof label === 'string' ? yamlText(label) : `[${label.map(yamlText).join(', ')}]`}`];
}

function teacherLines(teacher: InitTeacher | undefined, kind: Kind): string[] {
  if (teacher === undefined) {
    return [
      '# The teacher is trained first, and kept as long as nothing about it changes.',
      `teacher: { train: ${KINDS[kind].teacher} }`,
    ];
  }
  const { key, name, tokenizer } = teacher;
  const text = key !== 'folder' && (kind === 'text' || kind === 'words') && tokenizer !== undefined;
  return [
    'teacher:',
    `  ${key}: ${yamlText(name)}`,
    ...(text ? [`  text: { tokenizer: ${yamlText(tokenizer)} }`] : []),
  ];
}

/** Formats, precisions and outputs for the places where the student runs. */
function exportLines(targets: readonly InitTarget[], task: TaskName, kind: Kind): string[] {
  const onPhones = targets.filter((target) => target === 'android' || target === 'ios');
  const isInBrowser = targets.includes('browser');
  const hasOnnx = isInBrowser || targets.includes('server') || onPhones.length === 0;
  const formats = [...(hasOnnx ? ['onnx'] : []), ...(onPhones.length > 0 ? ['tflite'] : [])];
  const { outputs } = taskRow(task);
  // Apps on phones read these; the segmenter of MediaPipe takes logits.
  const forApps = onPhones.length > 0 && kind !== 'table' && outputs !== 'classes' ? outputs : undefined;
  const isSmall = onPhones.length > 0 || isInBrowser;
  return [
    `export: [${formats.join(', ')}]${targets.length === 0 ? '' : ` # for ${targets.join(', ')}`}`,
    ...(isSmall && kind !== 'table'
      ? [
          'quantize: [{ scheme: int8 }] # a file of a quarter of the size beside the one in float32; the report times both',
        ]
      : []),
    ...(forApps === undefined
      ? []
      : [
          `outputs: ${forApps} # beside each file another one${forApps === 'detections' ? ', which MediaPipe opens' : '; for MediaPipe: limbeck export RUN --mediapipe DIR'}`,
        ]),
  ];
}

/** A line of a recipe. Comments may hold names of columns and files, whose line breaks would begin keys. */
function inOneLine(line: string): string {
  return printable(line.replace(/[\r\n]+/g, ' '));
}
