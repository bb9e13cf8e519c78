import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { percent } from '../../base/numbers.ts';
import { sampleId } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { storedEncoder, storedTokenizer } from '../../data/text/open.ts';
import { storedRecipe } from '../../folder/folder.ts';
import { requiredReport } from '../../folder/report/finished.ts';
import { LABELS_FILE, labelsText } from '../../formats/tflite/metadata/archive.ts';
import { VOCABULARY_FILE } from '../../formats/tflite/metadata/text.ts';
import { withTextEnds } from '../../formats/tflite/rewrite/text-ends.ts';
import type { TextEnds } from '../../formats/tflite/rewrite/text-ends.ts';
import { taskRow } from '../../recipe/task.ts';
import type { AnswerFormKind } from '../../recipe/task.ts';
import { loadData } from '../../setup/data.ts';
import { taskOf } from '../../tasks/registry.ts';
import { writeInto } from '../cluster/write.ts';
import { endsOf } from '../kit/ends.ts';
import { modelRows } from '../kit/kit.ts';
import { missingModels } from '../kit/missing.ts';
import type { WantedFile } from '../kit/missing.ts';
import { checkTextFile } from './check.ts';
import { mediaPipeReadme } from './readme.ts';
import { mediaPipeTokenizer } from './tokenizer.ts';

interface MediaPipeFolder {
  readonly task: string;
  /** Relative to the folder. */
  readonly files: readonly string[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  /** Differences between `limbeck evaluate` and MediaPipe, one sentence each. */
  readonly notes: readonly string[];
}

interface TextTask extends Pick<TextEnds, 'activation'> {
  readonly task: 'TextClassifier' | 'TextEmbedder';
  /** Name of the answers; default: that of the file. */
  readonly answer?: string;
}

/** Tasks of MediaPipe for texts, by the form of the answers. */
const TASKS: Readonly<Partial<Record<AnswerFormKind, TextTask>>> = {
  classes: { task: 'TextClassifier', activation: 'SOFTMAX', answer: 'probabilities' },
  labels: { task: 'TextClassifier', activation: 'LOGISTIC', answer: 'probabilities' },
  vector: { task: 'TextEmbedder' },
};

const WANTED = (['fp32', 'int8', 'fp16'] as const).map((precision): WantedFile => ({ format: 'tflite', precision }));

/** Names of the files in a folder. */
const nameOf = (precision: string): string => `model${precision === 'fp32' ? '' : `-${precision}`}.tflite`;

/** Held-out texts on which the two tokenizers are compared, at most. */
const COMPARED = 1000;

/**
 * Writes a folder of TFLite files that MediaPipe's TextClassifier or TextEmbedder opens. `UserError` for data that are no texts, for tasks and tokenizers
 * that MediaPipe has not, and for a run without a report.
 */
export async function writeMediaPipeFolder(
  run: string,
  folder: string,
  { model, force = false }: { readonly model?: string | undefined; readonly force?: boolean | undefined } = {},
): Promise<MediaPipeFolder> {
  const report = await requiredReport(run);
  const { recipe } = await storedRecipe(run);
  const texts = new Map<string, readonly string[]>();
  const { validation, classNames } = await loadData(recipe, {
    onText: (id, _read, sample) => texts.set(id, sample),
    arePictures: () => Promise.resolve(report.dataset.sampleShape.length > 2),
  });
  const { text } = validation;
  if (text === undefined)
    throw new UserError(
      'export --mediapipe: expected a model of texts',
      'TFLite files of pictures open in MediaPipe as the run exports them: docs/tflite.md, For MediaPipe.',
    );
  const { fields, name } = taskOf(validation);
  const asked = TASKS[taskRow(name).form];
  if (asked === undefined)
    throw new UserError(
      `export --mediapipe: no task of MediaPipe answers texts with ${name}`,
      '`limbeck export RUN --kit DIR` writes samples for phones and browsers for it.',
    );
  const { tokenizer, vocabulary, encode } = mediaPipeTokenizer(text, await storedTokenizer(text, run));
  const rows = modelRows(report, model, run);
  const exported = await Promise.all(
    rows
      .filter(({ format }) => format === 'tflite')
      .map(async (row) => ({ row, bytes: await readBytes(path.join(run, row.file!)) })),
  );
  const made = await missingModels(run, rows[0]!.model, rows, recipe, validation, WANTED);
  const skipped = [...made.skipped];
  const compared = Math.min(COMPARED, validation.count);
  const held = Array.from({ length: compared }, (_, row) => texts.get(sampleId(validation, row))!);
  const own = await storedEncoder(text, run);
  const content = new Map<string, string | Uint8Array>();
  const shipped: Parameters<typeof mediaPipeReadme>[1][number][] = [];
  for (const { row, bytes } of [...exported, ...made.models]) {
    const { unfed, outputs } = endsOf({ row, bytes }, validation, fields);
    const file = nameOf(row.precision);
    if (unfed !== undefined) {
      skipped.push({ what: file, why: `${unfed}, and MediaPipe reads answers in float32` });
      continue;
    }
    const { activation, answer = outputs[0]! } = asked;
    const hasLabels = asked.task === 'TextClassifier';
    const description = {
      ...{ tokenizer, hasLabels, description: `Made by limbeck for ${asked.task} of MediaPipe.` },
      files: { ...(hasLabels && { [LABELS_FILE]: labelsText(classNames) }), [VOCABULARY_FILE]: vocabulary },
    };
    const { length, padding } = text;
    const changed = withTextEnds(bytes, { length, padding, activation, answer }, description);
    await checkTextFile({ file, bytes: changed }, bytes, { activation, encoded: held.map((sample) => own(sample)) });
    content.set(file, changed);
    shipped.push({ file, sizeBytes: changed.length, row });
  }
  if (shipped[0] === undefined)
    throw new UserError(
      `${run}: has no TFLite file that MediaPipe opens`,
      skipped.map(({ what, why }) => `${what}: ${why}`).join('\n'),
    );
  const alike = held.filter((sample) => encode(sample).ids.every((id, i) => id === own(sample).ids[i])).length;
  const notes = [noteOf(tokenizer.kind, alike, held.length, validation)];
  content.set('README.md', mediaPipeReadme(report, shipped, { task: asked.task, notes }));
  await writeInto(folder, content, force);
  return { task: asked.task, files: [...content.keys()].sort(), skipped, notes };
}

function noteOf(kind: 'bert' | 'regex', alike: number, of: number, { text }: Dataset): string {
  const share = `MediaPipe's tokenizer makes the tokens that the model was trained with of ${alike} of ${of} held-out texts (${percent(alike / of)}).`;
  return kind === 'bert'
    ? `${share} It keeps accents, makes the capitals of ASCII alone small, and cuts texts after ${text!.length} tokens.`
    : share;
}
