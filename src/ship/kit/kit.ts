import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../base/bytes.ts';
import { nearest, shown, UserError } from '../../base/errors.ts';
import { finishWhole, isLeft, writeWhole } from '../../base/folders/whole-folder.ts';
import { labelsText } from '../../formats/tflite/metadata/archive.ts';
import { readTflite } from '../../formats/tflite/read.ts';
import { runtimeOf } from '../../formats/tflite/runtime.ts';
import type { NeededRuntime } from '../../formats/tflite/runtime.ts';
import { taskRow } from '../../recipe/task.ts';
import { isImageShape } from '../../data/dataset.ts';
import { LETTERBOX } from '../../data/pictures/letterbox.ts';
import type { Dataset } from '../../data/dataset.ts';
import { nameOf, TEACHER } from '../../report/artifact.ts';
import type { ModelRow, Report } from '../../report/types.ts';
import { loadData } from '../../setup/data.ts';
import { requiredReport } from '../../folder/report/finished.ts';
import { storedRecipe } from '../../folder/folder.ts';
import { usualPath, usualText } from '../../folder/usual-answers.ts';
import { modelCard } from './card.ts';
import { endsOf } from './ends.ts';
import { examples } from './examples.ts';
import { loadKit } from './forms.ts';
import type { KitForm } from './forms.ts';
import { missingNumbers } from '../../data/splits/columns.ts';
import type { KitModel } from './missing.ts';
import { missingModels } from './missing.ts';
import { placeOf } from './place.ts';
import { sampleFolder, kitSamples } from './platforms.ts';
import type { KitSamples } from './platforms.ts';
import { textParts } from './text.ts';
import { taskOf } from '../../tasks/registry.ts';
import type { Task } from '../../tasks/task.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';
import { readModelFile } from '../../files/onnx-file.ts';

export interface KitOptions {
  /** Id of the float model in the report; default: the last student. */
  readonly model?: string | undefined;
  /** Write into a folder that holds something already; files of the same name are replaced. */
  readonly force?: boolean | undefined;
}

export interface Kit {
  /** Relative to the folder of the kit. */
  readonly files: readonly string[];
  /** Files that a kit can have and this one lacks, with the reasons. */
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
}

/** Kit with everything that an app needs of a finished run: models, labels, preparation of inputs, model card, working samples. */
export async function writeKit(run: string, folder: string, options: KitOptions = {}): Promise<Kit> {
  if (options.force !== true) await refuseFilled(folder);
  const report = await requiredReport(run);
  const asExported = modelRows(report, options.model, run);
  const { recipe } = await storedRecipe(run);
  const texts = new Map<string, readonly string[]>();
  const data = await loadData(recipe, {
    onText: (id, _read, sample) => texts.set(id, sample),
    // As they were read in the run, whose model files may be elsewhere by now.
    arePictures: () => Promise.resolve(report.dataset.sampleShape.length > 2),
  });
  const read = async (row: ModelRow): Promise<KitModel> => ({
    row,
    bytes: inOnePiece(await readModelFile(path.join(run, row.file!)), row.file!, 'a kit'),
  });
  const exported = await Promise.all(asExported.map(read));
  const made = await missingModels(run, asExported[0]!.model, asExported, recipe, data.validation);
  const task = taskOf(data.validation);
  const { fields } = task;
  const { form: name } = taskRow(task.name);
  const form = await loadKit(name);
  const answerFiles = form.readsAnswerFiles === true ? asExported.flatMap(answerRow) : [];
  const all = [...exported, ...made.models, ...(await Promise.all(answerFiles.map(read)))].map((model) => ({
    ...model,
    ends: endsOf(model, data.validation, fields),
  }));
  const models = all.filter(({ ends }) => ends.unfed === undefined);
  const left = all.flatMap(({ row, ends: { unfed } }) =>
    unfed === undefined ? [] : [{ what: placeOf(row), why: `${unfed}, the samples feed and read float32` }],
  );
  const rows = models.map(({ row }) => row);
  const formats = new Set(rows.map(({ format }) => format));
  const { scale, mean, std } = data.validation.normalization;
  const content = new Map<string, string | Uint8Array>();
  for (const { row, bytes } of models) {
    content.set(placeOf(row), bytes);
    if (row.usual !== undefined && !answerFiles.includes(row))
      content.set(usualPath(placeOf(row)), usualText(bytes, row.usual));
  }
  const texting = await textParts(data.validation, run, formats.has('tflite'));
  for (const [name, file] of Object.entries(texting.files)) content.set(name, file);
  const kind = form.kindOf(data.validation);
  // Numbers in place of missing values, channel by channel.
  const missing = missingNumbers(data.validation.columns ?? []);
  const isFilled = (kind === 'numbers' || kind === 'columns') && missing.some((number) => number !== undefined);
  const preprocessing = {
    models: models.map(({ row, bytes, ends }) => ({
      file: placeOf(row),
      format: row.format,
      precision: row.precision,
      sizeBytes: bytes.length,
      sha256: sha256(bytes),
      inputs: ends.inputs,
      // Of a file whose output has another name than `output` says.
      ...(fields.length === 1 && ends.outputs[0] !== models[0]!.ends.outputs[0] && { output: ends.outputs[0] }),
    })),
    // A sample as a whole, of which each input of a model takes its part.
    input: {
      shape: [1, ...data.validation.sampleShape],
      ...(data.validation.sampleShape.length === 3 && { layout: 'NHWC' }),
      ...(data.validation.fit && { fit: data.validation.fit, letterbox: LETTERBOX }),
    },
    ...(kind === 'columns' && { columns: data.validation.columns }),
    normalization: { scale, mean, std, formula: FORMULA, ...(isFilled && { missing }) },
    ...texting.said,
    ...('rate' in recipe.dataset && { sound: { rate: recipe.dataset.rate } }),
    output: {
      ...(fields.length === 1 ? { name: models[0]!.ends.outputs[0] } : { fields }),
      ...form.output(task, models[0]!.row),
    },
  };
  if (form.hasNames !== false) content.set('labels.txt', labelsText(data.classNames));
  content.set('preprocessing.json', `${JSON.stringify(preprocessing, null, 2)}\n`);
  const sampled = await examples(models[0]!, data.validation, { recipe, run, texts });
  content.set('example.json', `${JSON.stringify(sampled)}\n`);
  const parity = [...report.parity, ...made.parity];
  content.set(
    'MODEL_CARD.md',
    modelCard({ ...report, parity }, rows, {
      normalization: FORMULA,
      text: data.validation.text,
      runtimes: runtimesOf(models),
    }),
  );
  const isSound = 'rate' in recipe.dataset;
  const samples = await kitSamples({ form: name, kit: form, task, data: data.validation, formats, isSound });
  content.set('README.md', readme(report, form, task, data.validation, samples));
  for (const { platform, files } of samples.made)
    for (const [file, text] of Object.entries(files)) content.set(`${sampleFolder(platform)}/${file}`, text);
  await writeWhole(folder, content);
  return {
    files: [...content.keys()].sort(),
    skipped: [...left, ...made.skipped, ...samples.skipped],
  };
}

const FORMULA = '(value * scale - mean[c]) / std[c], c counting along the last axis';

/** Row of the file with other answers than logits that stands beside a file. */
function answerRow({ answerFile, ...row }: ModelRow): ModelRow[] {
  if (answerFile === undefined) return [];
  const { file, sizeBytes, latency } = answerFile;
  return [{ ...row, file, sizeBytes, latency }];
}

async function refuseFilled(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory())
    throw new UserError(`${folder}: expected a folder, received a file`, 'Name another folder.');
  await finishWhole(folder);
  const names = (await readdir(folder)).filter((name) => !isLeft(name));
  if (names.length === 0) return;
  throw new UserError(
    `${folder}: expected a new or empty folder, received one that holds ${shown(names.slice(0, 3))}`,
    'Name another folder, or add --force to replace files of the same name there.',
  );
}

/** The files of one model: its own and those in other formats and fewer bits that were made of it; fp32 first. */
export function modelRows(report: Report, wanted: string | undefined, run: string): ModelRow[] {
  const isWanted = ({ model }: ModelRow): boolean => model.role !== 'teacher' || nameOf(model) === wanted;
  const made = report.models.filter((row) => row.file !== null && isWanted(row));
  const names = [...new Set(made.map(({ model }) => nameOf(model)))];
  const last = made.findLast(({ model }) => model.role !== 'scratch') ?? made.at(-1);
  const name = wanted ?? (last && nameOf(last.model));
  const rows = made.filter(({ model }) => nameOf(model) === name);
  if (rows.length > 0) return rows.sort((a, b) => Number(b.precision === 'fp32') - Number(a.precision === 'fp32'));
  const meant = wanted === undefined ? undefined : nearest(wanted, names);
  if (wanted === nameOf(TEACHER))
    throw new UserError(
      `${run}: its teacher came as a file or a folder, of which the run writes none, received --model ${wanted}`,
      'Take that file itself: a folder of Hugging Face is opened by pipeline() of transformers.js as it is, and `limbeck serve` answers by an ONNX or Keras file.',
    );
  throw new UserError(
    `${run}: expected one of the models ${names.join(', ') || '(this run has made none)'}, received ${shown(wanted)}`,
    meant === undefined ? 'Name one of these with --model.' : `Did you mean ${meant}?`,
  );
}

function runtimesOf(models: readonly KitModel[]): Map<string, NeededRuntime> {
  const onTflite = models.filter(({ row }) => row.format === 'tflite');
  return new Map(onTflite.map(({ row, bytes }) => [row.file!, runtimeOf(readTflite(bytes))]));
}

function readme({ name }: Report, form: KitForm, { answers }: Task, data: Dataset, { made }: KitSamples): string {
  const isText = data.text !== undefined;
  const apps = made
    .filter(({ platform }) => platform.starts === undefined)
    .map(({ platform }) => `\`${sampleFolder(platform)}\``);
  const lines = [
    `# ${name}: ship kit`,
    '',
    '- `models/`: the files that ship; MODEL_CARD.md says what each is worth',
    `- \`preprocessing.json\`${form.hasNames === false ? '' : ', `labels.txt`'}: what goes in and what comes out`,
    '- `models/*.usual.json`: how their answers are spread, for `limbeck serve` to see when they no longer are',
    `- \`example.json\`: a few samples with the ${answers} that the first model gives, to check your own code by`,
    ...made.flatMap(({ platform }) =>
      platform.starts === undefined ? [] : [`- \`${sampleFolder(platform)}\`: ${platform.starts}`],
    ),
    ...(isText ? ['- `samples/tokenize`: from texts to token ids'] : []),
    ...(apps.length === 0
      ? []
      : [
          isText
            ? `- ${apps.join(', ')}: classes to copy into an app, with the tokenizer that the others have`
            : `- ${apps.join(', ')}: one class each to copy into an app, with the files beside it`,
        ]),
    ...(isImageShape(data.sampleShape) && [1, 3].includes(data.sampleShape[2])
      ? [
          '',
          "Pictures of another size are scaled by Lanczos' filter over all their pixels, as Pillow's `LANCZOS`; grey is 0.299 red + 0.587 green + 0.114 blue.",
        ]
      : []),
    '',
  ];
  return lines.join('\n');
}
