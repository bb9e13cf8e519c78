import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import { Slot } from '../../base/registry.ts';
import { storedRecipe } from '../../folder/folder.ts';
import { requiredReport } from '../../folder/report/finished.ts';
import { LABELS_FILE, labelsText } from '../../formats/tflite/metadata/archive.ts';
import type { AnswerEnd } from '../../formats/tflite/rewrite/editor.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { taskRow } from '../../recipe/task.ts';
import { loadData } from '../../setup/data.ts';
import { taskOf } from '../../tasks/registry.ts';
import { writeInto } from '../../ship/cluster/write.ts';
import { endsOf } from '../../ship/kit/ends.ts';
import { modelRows } from '../../ship/kit/kit.ts';
import { missingModels } from '../../ship/kit/missing.ts';
import type { WantedFile } from '../../ship/kit/missing.ts';
import { checkChangedFile } from './check.ts';
import { pictureEnds } from './pictures.ts';
import { stretchNotes } from './stretched.ts';
import { mediaPipeReadme } from './readme.ts';
import type { MediaPipeTask } from './readme.ts';
import { textEnds } from './texts.ts';

interface MediaPipeFolder {
  readonly task: string;
  /** Relative to the folder. */
  readonly files: readonly string[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  /** Differences between `limbeck evaluate` and MediaPipe, one sentence each. */
  readonly notes: readonly string[];
}

/** Tasks of MediaPipe that open files with answers of a form, and the last step of these files. */
export interface FormTasks extends Partial<AnswerEnd> {
  readonly texts?: MediaPipeTask;
  readonly pictures?: MediaPipeTask;
  readonly hasLabels?: true;
  /** Score from which boxes are shown where a model states none. */
  readonly usualThreshold?: number;
}

const MEDIAPIPE = new Slot<FormTasks>(answerForms, 'mediapipe', 'task of MediaPipe');

const WANTED = (['fp32', 'int8', 'fp16'] as const).map((precision): WantedFile => ({ format: 'tflite', precision }));

/** Names of the files in a folder. */
const nameOf = (precision: string): string => `model${precision === 'fp32' ? '' : `-${precision}`}.tflite`;

/** Maximum number of held-out samples on which a changed file is compared with the run's own. */
const COMPARED = 64;

/**
 * Writes a folder of TFLite files that a task of MediaPipe opens. `UserError` for data that are neither texts nor pictures, for answers and tokenizers that
 * MediaPipe has not, and for a run without a report.
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
  const ends = text === undefined ? pictureEnds(validation) : await textEnds(run, { text, validation, texts });
  const { fields, name } = taskOf(validation);
  const kind = text === undefined ? 'pictures' : 'texts';
  const {
    [kind]: task,
    hasLabels = false,
    usualThreshold,
    ...form
  } = (await MEDIAPIPE.loadIfThere(taskRow(name).form)) ?? {};
  if (task === undefined)
    throw new UserError(
      `export --mediapipe: no task of MediaPipe answers ${kind} with ${name} from a folder`,
      '`limbeck export RUN --kit DIR` writes samples for phones and browsers for it.',
    );
  const rows = modelRows(report, model, run);
  const exported = await Promise.all(
    rows
      .filter(({ format }) => format === 'tflite')
      .map(async (row) => ({ row, bytes: await readBytes(path.join(run, row.file!)) })),
  );
  const made = await missingModels(run, rows[0]!.model, rows, recipe, validation, WANTED);
  const skipped = [...made.skipped];
  const content = new Map<string, string | Uint8Array>();
  const shipped: Parameters<typeof mediaPipeReadme>[1][number][] = [];
  for (const { row, bytes } of [...exported, ...made.models]) {
    const { unfed, outputs } = endsOf({ row, bytes }, validation, fields);
    const file = nameOf(row.precision);
    if (unfed !== undefined) {
      skipped.push({ what: file, why: `${unfed}, and MediaPipe reads answers in float32` });
      continue;
    }
    const boxes = outputs.length > 1 ? outputs[0] : undefined;
    const end = { answer: outputs[0]!, boxes, ...form };
    const files: Readonly<Record<string, string>> = hasLabels ? { [LABELS_FILE]: labelsText(classNames) } : {};
    const description = { hasLabels, description: `Made by limbeck for ${task} of MediaPipe.`, files };
    const changed = ends.changed(bytes, end, description);
    const { precision } = row;
    const compared = { file, bytes: changed, precision, boxes, activation: form.activation };
    await checkChangedFile(compared, bytes, ends.samples(COMPARED));
    content.set(file, changed);
    shipped.push({ file, sizeBytes: changed.length, row });
  }
  if (shipped[0] === undefined)
    throw new UserError(
      `${run}: has no TFLite file that MediaPipe opens`,
      skipped.map(({ what, why }) => `${what}: ${why}`).join('\n'),
    );
  const { packed } = ends;
  const float = [...exported, ...made.models].find(({ row }) => row.precision === 'fp32');
  const notes = [...ends.notes, ...(float === undefined ? [] : await stretchNotes(recipe, validation, float))];
  content.set(
    'README.md',
    mediaPipeReadme(report, shipped, {
      task,
      notes,
      packed: hasLabels ? `${packed}, and the labels` : packed,
      usualThreshold,
    }),
  );
  await writeInto(folder, content, force);
  return { task, files: [...content.keys()].sort(), skipped, notes };
}
