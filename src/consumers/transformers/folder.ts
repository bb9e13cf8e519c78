import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { Dataset } from '../../data/dataset.ts';
import { TOKENIZER_FILE } from '../../data/text/tokenizer-file.ts';
import { storedRecipe } from '../../folder/folder.ts';
import { ownFile } from '../../folder/own-file.ts';
import { requiredReport } from '../../folder/report/finished.ts';
import { forPixelValues, forTokens } from '../../formats/onnx/rewrite/pipeline-ends.ts';
import { decodeModel, onnxContent } from '../../formats/onnx/protobuf.ts';
import { loadData } from '../../setup/data.ts';
import { writeInto } from '../../ship/cluster/write.ts';
import { missingModels } from '../../ship/kit/missing.ts';
import type { WantedFile } from '../../ship/kit/missing.ts';
import { modelRows } from '../../ship/kit/kit.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { ModelRow } from '../../report/types.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import { configFiles, pipelineOf } from './config.ts';
import type { Pipeline, PipelineForm } from './config.ts';
import { readme } from './readme.ts';
import type { ShippedFile } from './readme.ts';
import { inOnePiece } from '../../formats/onnx/large.ts';
import { readModelFile } from '../../files/onnx-file.ts';

interface PipelineFolder {
  readonly pipeline: Pipeline;
  /** Relative to the folder. */
  readonly files: readonly string[];
  readonly skipped: readonly { readonly what: string; readonly why: string }[];
  /** How a pipeline prepares samples in another way. */
  readonly notes: readonly string[];
}

const PIPELINES = 'a folder for pipelines';

/** Names of the files by which transformers.js finds a precision. */
const NAMES = { fp32: 'onnx/model.onnx', int8: 'onnx/model_quantized.onnx', fp16: 'onnx/model_fp16.onnx' } as const;
const WANTED = (Object.keys(NAMES) as (keyof typeof NAMES)[]).map((precision): WantedFile => ({
  format: 'onnx',
  precision,
}));

/** Writes a folder that `pipeline()` of transformers.js opens. `UserError` for a task without a pipeline, and for a run without a report. */
export async function writePipelineFolder(
  run: string,
  folder: string,
  { model, force = false }: { readonly model?: string | undefined; readonly force?: boolean | undefined } = {},
): Promise<PipelineFolder> {
  const report = await requiredReport(run);
  const { recipe } = await storedRecipe(run);
  const { validation } = await loadData(recipe, {
    arePictures: () => Promise.resolve(report.dataset.sampleShape.length > 2),
  });
  const form = await pipelineOf(validation);
  const rows = modelRows(report, model, run).filter(({ format }) => format === 'onnx');
  if (rows[0] === undefined)
    throw new UserError(
      `${run}: has no ONNX file of this model`,
      'Add onnx to `export` in the recipe, and run it again.',
    );
  const tokenizer = validation.text && (await readBytes(await ownFile(run, `exports/${TOKENIZER_FILE}`)));
  const { pipeline, usualThreshold } = form;
  const { shipped, settings, skipped, notes } =
    pipeline === 'text-generation'
      ? await madeFiles(form, { run, rows, recipe, validation, tokenizer: tokenizer! })
      : await usualFiles(form, pipeline, { run, rows, recipe, validation, tokenizer });
  const content = new Map([...shipped.map(({ file, bytes }) => [file, bytes] as const), ...settings]);
  content.set(
    'README.md',
    readme(report, shipped, {
      pipeline,
      card: recipe.card,
      notes,
      classes: validation.classNames,
      vector: validation.vector?.size,
      usualThreshold,
    }),
  );
  await writeInto(folder, content, force);
  return { pipeline, files: [...content.keys()].sort(), skipped, notes };
}

interface Source<Tokenizer extends Uint8Array | undefined> {
  readonly run: string;
  readonly rows: readonly ModelRow[];
  readonly recipe: Recipe;
  readonly validation: Dataset;
  readonly tokenizer: Tokenizer;
}

interface FolderFiles extends Pick<PipelineFolder, 'skipped' | 'notes'> {
  readonly shipped: readonly (ShippedFile & { readonly bytes: Uint8Array })[];
  readonly settings: ReadonlyMap<string, string | Uint8Array>;
}

/** The files of a run with the ends that a pipeline reads. */
async function usualFiles(
  { withEnds }: PipelineForm,
  pipeline: Exclude<Pipeline, 'text-generation'>,
  { run, rows, recipe, validation, tokenizer }: Source<Uint8Array | undefined>,
): Promise<FolderFiles> {
  const exported = await Promise.all(
    rows.map(async (row) => ({
      row,
      bytes: inOnePiece(await readModelFile(path.join(run, row.file!)), row.file!, PIPELINES),
    })),
  );
  const made = await missingModels(run, rows[0]!.model, rows, recipe, validation, WANTED);
  const models = [...exported, ...made.models];
  const shipped = WANTED.flatMap(({ precision }) => {
    const found = models.find(({ row }) => row.precision === precision);
    if (found === undefined) return [];
    const { row } = found;
    const ended = onnxContent(
      (withEnds ?? withPipelineEnds)(decodeModel(found.bytes, row.file!), validation, pipeline),
    );
    const bytes = inOnePiece(ended, row.file!, PIPELINES);
    return [{ file: NAMES[precision], sizeBytes: bytes.length, row, bytes }];
  });
  const settings = await configFiles(pipeline, validation, tokenizer);
  return { shipped, settings, skipped: made.skipped, notes: notesOf(pipeline, validation) };
}

/** Files that the form of answers makes of the float32 file of a run. */
async function madeFiles(
  { pipelineFiles }: PipelineForm,
  { run, rows, recipe, validation: split, tokenizer }: Source<Uint8Array>,
): Promise<FolderFiles> {
  const row = rows.find(({ precision }) => precision === 'fp32') ?? rows[0]!;
  const file = path.join(run, row.file!);
  const float = decodeModel(await readModelFile(file), file);
  const session = sessionOptionsOf(recipe);
  const { models, files, skipped, notes } = await pipelineFiles!(float, { file, split, session, tokenizer, recipe });
  const shipped = models.map(({ name, precision, content, score }) => {
    const bytes = inOnePiece(content, name, PIPELINES);
    return {
      file: name,
      sizeBytes: bytes.length,
      row: { ...row, precision, score: { validation: score, test: null } },
      bytes,
    };
  });
  return { shipped, settings: files, skipped, notes };
}

function withPipelineEnds(
  model: ReturnType<typeof decodeModel>,
  data: Dataset,
  pipeline: Pipeline,
): ReturnType<typeof decodeModel> {
  const { text } = data;
  if (text === undefined) return forPixelValues(model, data, pipeline === 'image-segmentation');
  const { length, padding } = text;
  return forTokens(model, { length, padding, isPerToken: pipeline === 'token-classification' });
}

/** Differences between `limbeck evaluate` and a pipeline that opens the files, one sentence each. */
function notesOf(pipeline: Pipeline, { text, sampleShape }: Dataset): string[] {
  if (text === undefined)
    return [
      ...(pipeline === 'image-segmentation'
        ? [
            'The pipeline gives a mask for each class, at the size of the picture: it resizes the logits to that, `limbeck evaluate` to the size that the model takes. In Node, pictures that are smaller than that are shifted by half a pixel.',
          ]
        : []),
      `Pictures that are not ${sampleShape.slice(0, 2).join('x')} are resized${sampleShape[2] === 1 ? ' in colour and then made grey' : ': in Node as here'}, in browsers by the filter of the browser, so that answers near a boundary may differ.`,
    ];
  return [
    `Texts of more than ${text.length} tokens are cut by transformers.js without the tokens that end a text, so that their answers may differ; its tokenizer gives other ids than the one here for some texts, mostly of rare letters.`,
    ...(pipeline === 'token-classification'
      ? [
          'The pipeline tags tokens; the tag of a word is that of its first token, and its words are those of the tokenizer.',
        ]
      : []),
  ];
}
