import { sha256 } from '../base/bytes.ts';
import { areNamed } from '../data/splits/columns.ts';
import type { Column, Dataset } from '../data/dataset.ts';
import { LETTERBOX } from '../data/pictures/letterbox.ts';
import type { StreamGraph } from '../convert/streams.ts';
import type { Options } from '../formats/onnx/lower.ts';
import { taskRow } from '../recipe/task.ts';
import { answerForms } from '../recipe/answer-forms.ts';
import type { FileOutputs } from '../recipe/answer-forms.ts';
import type { Task } from '../tasks/task.ts';
import { taskOf } from '../tasks/registry.ts';
import type { ShipContext } from './context.ts';

/** Most columns that a file names: the names of thousands would be larger than the weights. */
const NAMED_COLUMNS = 256;

/** Columns that files and kits name: always where their words or dates have numbers of their own. Rows that are given a shape are pixels. */
export function statedColumns({
  columns,
  sampleShape,
}: Pick<Dataset, 'columns' | 'sampleShape'>): readonly Column[] | undefined {
  if (columns === undefined || sampleShape.length !== 1 || !areNamed(columns)) return undefined;
  const isShort = columns.length <= NAMED_COLUMNS || columns.some(({ words, date }) => (words ?? date) !== undefined);
  return isShort ? columns : undefined;
}

/** Options that ONNX files of a run are written with: the operator set, and metadata for programs that run them. `output`: what they answer with; `stream`: the stream that they are. */
export function onnxOptions(
  { recipe, written, data, threshold }: Pick<ShipContext, 'recipe' | 'written' | 'data' | 'threshold'>,
  output?: FileOutputs,
  stream?: Pick<StreamGraph, 'metadata'>,
): Options & {
  readonly name: string;
  readonly metadata: ReadonlyMap<string, string>;
} {
  const { sampleShape, inputs, text, normalization, fit, nms } = data.train;
  const columns = statedColumns(data.train);
  const task = taskOf(data.train);
  const namesKey = answerForms.get(taskRow(task.name).form).namesKey;
  const entries = {
    ...(namesKey && { [namesKey]: data.classNames }),
    // (value * scale - mean) / std, channel by channel.
    preprocessing: { shape: sampleShape, ...(fit && { fit, letterbox: LETTERBOX }), ...normalization },
    // Columns that the numbers of a row stand for.
    ...(columns !== undefined && { columns }),
    // Sounds: values a second.
    ...('rate' in recipe.dataset && { sound: { rate: recipe.dataset.rate } }),
    // Which part of such a row each of several inputs is fed.
    ...(inputs !== undefined && { inputs }),
    // The tokenizer by its hash, and how texts are cut and filled up.
    ...(text !== undefined && { text }),
    output: output ?? task.answers,
    // Outputs that stand one after another in an answer, where it is of several.
    ...(task.fields.length > 1 && { fields: task.fields }),
    // The task, for answers that are not one row of a number for each name: tags [tokens, tags], given at the first token of each word, pictures, points, or vectors.
    ...(isNamedRow(task, data.classNames, namesKey) ? {} : { task: task.name }),
    // Boxes of detectors that answer once for each object are not to be suppressed.
    ...(nms === false && { overlap: task.boxes!.overlap }),
    // Lines between points, by pairs of their indexes.
    ...(task.skeleton && { skeleton: task.skeleton }),
    // Boxes of at least this score are shown.
    ...(threshold !== undefined && { threshold }),
    recipe: recipe.name,
    // When something is trained changes nothing in what comes of it.
    recipeSha256: sha256(JSON.stringify({ ...written, jobs: undefined })),
  };
  const texts = Object.entries(entries).map(
    ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
  );
  const metadata = new Map(texts);
  return { name: recipe.name, opset: recipe.onnx.opset, metadata: stream?.metadata(metadata) ?? metadata };
}

/** True for answers of one row that has a number for each name. */
function isNamedRow({ fields, width }: Task, names: readonly string[], namesKey: string | undefined): boolean {
  return namesKey !== undefined && width === names.length && fields.every(({ shape }) => shape.length === 1);
}
