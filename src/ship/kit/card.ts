import path from 'node:path';
import { runtimeSentence } from '../../formats/tflite/runtime.ts';
import type { NeededRuntime } from '../../formats/tflite/runtime.ts';
import { percent } from '../../base/numbers.ts';
import { milliseconds, number, size } from '../../report/format.ts';
import { capital } from '../../report/format.ts';
import { markdownTexts } from '../../report/render/markdown-texts.ts';
import { scoreOf } from '../../report/score.ts';
import { answersText, summarySentences } from '../../report/summary.ts';
import { taughtBy } from '../../report/taught-by.ts';
import type { TextForm } from '../../data/text/tokenizer/encode.ts';
import type { Score } from '../../tasks/score.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import { kitForm } from './forms.ts';
import { placeOf } from './place.ts';

export interface CardOptions {
  /** Preparation of inputs, as text. */
  readonly normalization: string;
  /** Conversion of texts into token ids, where the data are texts. */
  readonly text?: TextForm | undefined;
  /** TensorFlow Lite version that runs each TFLite file of the rows, by file. */
  readonly runtimes: ReadonlyMap<string, NeededRuntime>;
}

/** Model card: what these files are, what they learned from, how good and how fast they are, and where that ends. */
export function modelCard(
  given: Report,
  rows: readonly ModelRow[],
  { normalization, text, runtimes }: CardOptions,
): string {
  const report = markdownTexts(given);
  const { name, seed, dataset, machine, verdict, teacher, parity } = report;
  const score = scoreOf(report);
  const { train, validation, test } = dataset.samples;
  const kept = new Set(rows.map(({ file }) => file));
  const parts = [
    `# Model card: ${name}`,
    summarySentences(report).join(' '),
    '## Files',
    filesTable(rows, runtimes),
    ...runtimeText(runtimes),
    '## Data',
    `${answersText(dataset)}, samples of ${dataset.sampleShape.join('×')}, read as ${dataset.type}: ${number(train)} for ` +
      `training, ${number(validation)} to choose among models, ${number(test)} for the test at the end, used once. ` +
      `${text === undefined ? `Inputs are prepared as \`${normalization}\`` : textSentence(text)}; see preprocessing.json.`,
    '## Teacher',
    teacherText(report),
    ...(verdict === undefined
      ? []
      : [
          `Beside the same student trained without the ${taughtBy(report)}: **${verdict.result}**, ${verdict.sentence}. ` +
            `Seed ${seed}, ${verdict.repeats} ${verdict.repeats === 1 ? 'repeat' : 'repeats'}.`,
        ]),
    `## ${capital(score.name)}`,
    accuracyText(rows, score),
    '## Latency',
    latencyText(rows, report),
    '## Limits',
    [
      `${capital(score.name)} is that on this data. Pictures or values of another source, camera or population may do worse: test on yours.`,
      ...kitForm(dataset.task).limits(dataset.classes),
      ...(test === 0
        ? [`There was no test split: the ${score.name} is that on the split by which the model was chosen.`]
        : []),
      `Latency was measured on ${machine.cpu}, not on a phone; int8 can be slower than fp32 on some devices. Measure on yours.`,
      'Whether it treats groups of people alike was not examined.',
      ...(teacher === undefined ? [] : ['It learned from its teacher, errors included.']),
    ]
      .map((line) => `- ${line}`)
      .join('\n'),
    '## How it was checked',
    parity
      .filter(({ file }) => kept.has(file))
      .map(({ file, samples, top1Agreement, largestError }) =>
        top1Agreement === undefined
          ? `- ${path.posix.basename(file)}: beside the training graph on ${number(samples)} samples, largest difference of an answer ${largestError.toExponential(1)}`
          : `- ${path.posix.basename(file)}: the class of the training graph on ${percent(top1Agreement)} of ${number(samples)} samples, ` +
            `largest difference of a logit ${largestError.toExponential(1)}`,
      )
      .join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function textSentence({ tokenizer, sha256, length, truncate, vocabulary }: TextForm): string {
  const file = sha256 === undefined ? '' : ` (models/tokenizer.json, SHA-256 ${sha256})`;
  return `Texts become ${length} token ids of ${number(vocabulary)} by the tokenizer \`${tokenizer}\`${file}; longer ones lose their ${truncate}`;
}

function filesTable(rows: readonly ModelRow[], runtimes: CardOptions['runtimes']): string {
  const head = ['file', 'precision', 'size', 'parameters', 'MACs', 'TensorFlow Lite from'];
  return table(
    head,
    rows.map(({ file, precision, sizeBytes, params, macs }) => [
      placeOf({ file }),
      precision,
      size(sizeBytes),
      number(params),
      macs === null ? '' : number(macs),
      runtimes.get(file!)?.minimumRuntime ?? '',
    ]),
  );
}

/** Sentences on the runtimes of the table: what is needed, and what no version alone says. */
function runtimeText(runtimes: CardOptions['runtimes']): string[] {
  const lines = [...runtimes].map(([file, runtime]) => `- ${file.replace(/^.*\//, '')} ${runtimeSentence(runtime)}`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function teacherText(report: Report): string {
  const { teacher, models } = report;
  const score = scoreOf(report);
  const row = models.find(({ model }) => model.role === 'teacher');
  if (teacher?.store === 'none') return `The stored logits ${teacher.source}.`;
  if (teacher === undefined && taughtBy(report) === 'peer')
    return 'None: it learned from the labels and from another student, which learned at the same time.';
  if (teacher === undefined) return 'None: it was trained on the labels alone.';
  const its = row?.score.test ?? row?.score.validation;
  const figures = row === undefined ? '' : `, ${number(row.params)} parameters`;
  return `${teacher.source}${figures}${its === undefined || its === null ? '' : `, ${score.name} ${score.text(its)}`}.`;
}

function accuracyText(rows: readonly ModelRow[], score: Score): string {
  const shown = (value: number | null): string => (value === null ? '' : score.text(value));
  return table(
    ['file', 'validation', 'test'],
    rows.map(({ file, score: own }) => [path.posix.basename(file!), shown(own.validation), shown(own.test)]),
  );
}

function latencyText(rows: readonly ModelRow[], { machine }: Report): string {
  const lines = rows.flatMap(({ file, latency }) =>
    latency.map(({ runtime, device, batchSize, threads, p50Ms, p95Ms }) => [
      path.posix.basename(file!),
      `${runtime} on ${device}`,
      String(batchSize),
      String(threads),
      milliseconds(p50Ms),
      milliseconds(p95Ms),
    ]),
  );
  if (lines.length === 0) return 'Not measured.';
  const head = ['file', 'runtime', 'batch', 'threads', 'median', '95 %'];
  return `${machine.cpu}, ${machine.cores} cores, ${machine.platform}:\n\n${table(head, lines)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
