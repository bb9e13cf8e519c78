import { taskRow } from './task.ts';
import type { TaskName } from './task.ts';

export interface InitAnswers {
  readonly type: string;
  /** Default: classification. */
  readonly task?: TaskName;
  readonly train: string;
  readonly labels: string;
  readonly test: string;
  readonly testLabels: string;
  /** Column of the labels, or several; empty for the usual one. */
  readonly label: string | readonly string[];
  /** Empty: train one. */
  readonly teacher: string;
  readonly model: string;
}

/** A recipe to start from: what must be said, and as comments what is likely to be wanted next. */
export function recipeText({
  type,
  task = 'classification',
  train,
  labels,
  test,
  testLabels,
  label,
  teacher,
  model,
}: InitAnswers): string {
  const source = (samples: string, names: string): string => {
    if (type === 'idx') return `{ images: ${quoted(samples)}, labels: ${quoted(names)} }`;
    if (type === 'npz') return `{ samples: ${quoted(samples)}, labels: ${quoted(names)} }`;
    return quoted(samples);
  };
  const isImage = !['csv', 'parquet', 'jsonl'].includes(type);
  return [
    '# A Limbeck recipe. Every key has a default; `limbeck schema` lists them all. Relative paths start at this file.',
    'seed: 0 # all randomness follows from it',
    '',
    'dataset:',
    `  type: ${type}`,
    ...(task === 'classification' ? [] : [`  task: ${task}`]),
    `  train: ${source(train, labels)}`,
    test === ''
      ? '  testFraction: 0.1 # no test data was named: hold out a part of train'
      : `  test: ${source(test, testLabels)}`,
    '  validation: 0.1 # models are chosen on this part of train; the test split is used once, at the end',
    ...labelLines(label),
    ...(isImage ? ['  # augment: [{ shift: 2 }, { flip: horizontal }]'] : []),
    '',
    ...teacherLines(teacher, isImage),
    '',
    '# The small model that ships; `limbeck inspect --models` lists models and their options.',
    model.endsWith('.onnx')
      ? `student: { onnx: ${quoted(model)}, head: keep } # head: replace draws the last layer anew for the classes of the data`
      : `student: { model: ${model} }`,
    '',
    'distill:',
    ...taskRow(task).begins.map((line) => `  ${line}`),
    '  epochs: 10',
    '  batchSize: 128',
    '  optimizer: { type: adamw, learningRate: 0.002, schedule: cosine }',
    '',
    'export: [onnx]',
    '# repeats: 3 # train with three seeds: a gain that is larger than chance can explain gets the verdict BEATS',
    '',
  ].join('\n');
}

function labelLines(label: string | readonly string[]): string[] {
  if (label.length === 0) return [];
  return [`  label: ${typeof label === 'string' ? quoted(label) : `[${label.map(quoted).join(', ')}]`}`];
}

function teacherLines(teacher: string, isImage: boolean): string[] {
  if (teacher === '') {
    return [
      '# The teacher is trained first, and kept as long as nothing about it changes.',
      isImage
        ? 'teacher: { train: { model: wide-resnet, epochs: 20 } }'
        : 'teacher: { train: { model: mlp, hidden: [512, 512], epochs: 20 } }',
    ];
  }
  const kind = teacher.endsWith('.json') ? 'tfjs' : 'onnx';
  return [
    'teacher:',
    `  ${kind}: ${quoted(teacher)}`,
    '  # normalize: { mean: 0.5, std: 0.5 } # if the teacher wants its input other than the student',
  ];
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) && !/^[-\d.]/.test(text.replace(/^\.{1,2}\//, '')) ? text : JSON.stringify(text);
}
