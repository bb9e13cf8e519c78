import { fromHalfArray, sha256 } from '../../base/bytes.ts';
import { orClose } from '../../base/closing.ts';
import { UserError } from '../../base/errors.ts';
import { Slot } from '../../base/registry.ts';
import type { Dataset } from '../../data/dataset.ts';
import type { AtSize } from '../../data/pictures/originals.ts';
import type { InferenceTensor, ModelValue } from '../../runtime/inference.ts';
import type { DecoderSettings } from '../../recipe/decoders.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { taskRow } from '../../recipe/task.ts';
import type { AnswerField } from '../../tasks/fields.ts';
import { taskOf } from '../../tasks/registry.ts';
import { columnFeeds, columnInputs, columnsWithMissing } from './inputs/column-inputs.ts';
import { feedsOf, fedInputs } from './inputs/teacher-inputs.ts';
import { seenAs } from './inputs/own-pictures.ts';
import type { OwnSize } from './inputs/own-pictures.ts';
import { pooledVectors } from './inputs/pooled.ts';
import type { Pooling } from './inputs/pooled.ts';
import { askedAboutTexts, textInputs } from './inputs/text-inputs.ts';
import { channelsLast, isRaw, preparationAffine, preprocess } from './inputs/preprocess.ts';
import type { Preprocessing, TeacherNormalization } from './inputs/preprocess.ts';
import { orderOf } from '../../files/class-order.ts';
import { joinedInOrder } from '../preflight/class-order.ts';
import { answersProbabilities, checkFields, logitsOfProbabilities } from './teacher.ts';
import type { Answer, Teacher, TeacherOutputs } from './teacher.ts';

interface Values {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Brings values of a file's output to the grid of the data, [n, rows, columns, classes]; `layout`: of the file's input. */
export type GridAnswers = (
  values: Values,
  grid: readonly [rows: number, columns: number, classes: number],
  of: { readonly name: string; readonly output: string; readonly layout: 'nhwc' | 'nchw' },
) => Values;

const GRIDS = new Slot<GridAnswers>(answerForms, 'gridAnswers', 'grid of answers');

export interface FileTeacherSettings extends OwnSize {
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  /** Vector that an output with several vectors for a sample stands for. Default: their mean, for a task of vectors. */
  readonly pooling?: Pooling | undefined;
  readonly layout: 'auto' | 'nchw' | 'nhwc';
  readonly normalize?: TeacherNormalization | undefined;
  /** Kind of the answers, or the file's output of each field of an answer. */
  readonly outputs: TeacherOutputs;
  /** Class names in the teacher's order. */
  readonly classes?: readonly string[] | undefined;
  readonly intermediate: readonly string[];
  /** Layout of a detector's outputs, if they are not fields of an answer. */
  readonly decoder?: DecoderSettings | undefined;
}

/** A loaded model file of any format, with named inputs and outputs. */
export interface Runnable {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly device: string;
  run(
    feeds: Readonly<Record<string, InferenceTensor>>,
    wanted: readonly string[],
  ): Promise<Readonly<Record<string, InferenceTensor>>>;
  dispose(): void;
}

/** Samples for a test, see `Teacher.answer`. */
export interface Probe {
  readonly x: Float32Array;
  readonly n: number;
  readonly original?: AtSize | undefined;
}

export interface FileTeacherSource {
  /** Name for messages, such as the path of the file. */
  readonly name: string;
  readonly runtime: Runnable;
  /** Bytes of the file or their hash: stored answers belong to this content. */
  readonly content: Uint8Array | string | Iterable<Uint8Array>;
  readonly params: number;
  readonly sizeBytes: number;
  readonly dataset: Dataset;
  /** Samples [n, ...sampleShape] that the teacher is tested on when it is opened. */
  readonly probe: Probe;
}

/** A loaded file as a teacher. `UserError` if settings or file do not fit the data set; the file is then closed. */
export function fileTeacher(source: FileTeacherSource, settings: FileTeacherSettings): Promise<Teacher> {
  return orClose(
    () => fitting(source, settings),
    () => source.runtime.dispose(),
  );
}

async function fitting(source: FileTeacherSource, settings: FileTeacherSettings): Promise<Teacher> {
  const { name, runtime, content, params, sizeBytes, dataset, probe } = source;
  const { fields, answers } = taskOf(dataset);
  const read =
    fields.length === 1 ? [outputOf(runtime, name, settings, dataset)] : namedOutputs(runtime, name, settings, fields);
  const wanted = [...read, ...settings.intermediate];
  const others = settings.output === undefined && fields.length === 1 ? othersOf(runtime, wanted) : [];
  const ask = async (feeds: Readonly<Record<string, InferenceTensor>>, n: number): Promise<Record<string, Values>> =>
    floats(await runtime.run(feeds, wanted), n, name);
  const { raw, layout, handed, ...fed } =
    dataset.text === undefined ? await plainInput(source, settings, ask) : textInput(source, settings, ask);
  const [scores] = read as [string];
  const { pooling } = settings;
  const arePooled = isPooled(dataset, settings);
  const gridAnswers = await GRIDS.loadIfThere(taskRow(dataset.task).form);
  const asked = async (x: Float32Array, n: number, original?: AtSize): Promise<Record<string, Values>> => {
    const results = await raw(x, n, original);
    // Those of texts are pooled where their masks are known.
    if (arePooled && dataset.text === undefined)
      return {
        ...results,
        [scores]: pooledVectors(results[scores]!, { pooling, layout, what: `${name}: its output ${scores}` }),
      };
    if (gridAnswers === undefined) return results;
    const grid = fields[0]!.shape as readonly [number, number, number];
    return { ...results, [scores]: gridAnswers(results[scores]!, grid, { name, output: scores, layout }) };
  };
  const first = await asked(probe.x, probe.n, probe.original);
  const order = orderOf(name, settings.classes, dataset.classNames);
  if (fields.length > 1) checkFields(name, fields, read, (output) => first[output]!.shape.slice(1));
  const { data: firstScores, shape: scoresShape } = first[scores]!;
  // Numbers to predict can sum to 1 too, such as shares.
  const isProbability =
    (settings.outputs !== 'auto' || answers === 'logits' || fields.length > 1) &&
    answersProbabilities(name, settings.outputs, firstScores, scoresShape.at(-1)!);
  /** The file's answers, of which the first field is brought into the logits and the classes of the data set. */
  const answersIn = (results: Readonly<Record<string, Values>>, n: number): Float32Array => {
    const { data } = results[scores]!;
    const logits = isProbability ? logitsOfProbabilities(data) : data;
    const values = read.map((output, i) => [fields[i]!.name, i === 0 ? logits : results[output]!.data] as const);
    return joinedInOrder(Object.fromEntries(values), fields, n, order);
  };
  const shapes = settings.intermediate.map(
    (feature) => [feature, featureShape(first[feature]!.shape, layout)] as const,
  );

  // The path is not part of the key: a moved file gives the same answers.
  const { intermediate } = settings;
  const { input, preprocessing, sampleShape } = fed;
  const { filter, cutFrom } = settings;
  const size = sampleShape && { size: sampleShape, filter, cutFrom };
  const output = read.length === 1 ? scores : read;
  const ofPooling = arePooled && { pooling: pooling ?? 'mean' };
  const facts = {
    input,
    output,
    ...ofPooling,
    intermediate,
    order,
    preprocessing,
    isProbability,
    ...size,
    stride: dataset.stride,
    handed,
  };

  return {
    name,
    key: sha256(content, JSON.stringify(facts)),
    classes: answersIn(first, probe.n).length / probe.n,
    featureShapes: Object.fromEntries(shapes),
    params,
    sizeBytes,
    device: runtime.device,
    ...(sampleShape && { sampleShape }),
    ...(others.length > 0 && { otherOutputs: others }),
    ...(handed && { handed }),
    answer: async (x, n, original): Promise<Answer> => {
      const results = await asked(x, n, original);
      const features = settings.intermediate.map((feature) => [feature, featureOf(results[feature]!, layout)] as const);
      return { logits: answersIn(results, n), features: Object.fromEntries(features) };
    },
    dispose: () => {
      runtime.dispose();
      return Promise.resolve();
    },
  };
}

type Ask = (feeds: Readonly<Record<string, InferenceTensor>>, n: number) => Promise<Readonly<Record<string, Values>>>;

/** Way of asking a file. */
interface Asking {
  readonly raw: (x: Float32Array, n: number, original?: AtSize) => Promise<Record<string, Values>>;
  readonly layout: 'nhwc' | 'nchw';
  /** Names of its inputs. */
  readonly input: string | readonly string[];
  readonly preprocessing: object;
  /** Shape of a sample as the file reads it, if not the data set's. */
  readonly sampleShape?: readonly number[];
  /** See `Teacher`. */
  readonly handed?: readonly string[];
}

/** Asks about samples that are numbers. `batch`: number of samples in a call. Default: the file's, or all. */
export async function plainInput(
  { name, runtime, dataset, probe }: Pick<FileTeacherSource, 'name' | 'runtime' | 'dataset' | 'probe'>,
  settings: FileTeacherSettings,
  ask: Ask,
  batch?: number,
): Promise<Asking> {
  const columns = columnInputs(runtime.inputs, dataset, name);
  if (columns !== undefined) return columnInput({ name, dataset, probe }, columns, settings, ask);
  const seen = seenAs(dataset, settings);
  const { form } = seen;
  const inputs = fedInputs(runtime, name, form, settings);
  const { layout } = inputs[0]!.form;
  const preprocessing = { ...preparationAffine(form, settings.normalize), layout };
  const prepare = prepared(form, settings.normalize, preprocessing);
  const fixed = batch ?? inputs.map(({ input }) => input.shape[0]).find((size) => typeof size === 'number');
  const run = async (piece: Float32Array, size: number): Promise<Readonly<Record<string, Values>>> =>
    ask(feedsOf(inputs, piece, size, form, name), size);
  const raw: Asking['raw'] = async (x, n, original) => {
    const data = await prepare(await seen.bring(x, n, original), n, original);
    return fixed === undefined || fixed === n ? run(data, n) : inPieces(data, n, fixed, (piece) => run(piece, fixed));
  };
  const input = dataset.inputs === undefined ? inputs[0]!.input.name : inputs.map((fed) => fed.input.name);
  return { raw, layout, input, preprocessing, ...(form !== dataset && { sampleShape: form.sampleShape }) };
}

/** Normalization that leaves values raw: a file with an input for each column prepares them itself. */
const RAW = { scale: 1, mean: 0, std: 1 };

/** Asks about rows of a table, with a column for each input. */
async function columnInput(
  { name, dataset, probe }: Pick<FileTeacherSource, 'name' | 'dataset' | 'probe'>,
  inputs: NonNullable<ReturnType<typeof columnInputs>>,
  settings: FileTeacherSettings,
  ask: Ask,
): Promise<Asking> {
  const wanted = settings.normalize ?? RAW;
  const preprocessing = { ...preparationAffine(dataset, wanted), layout: 'nhwc' as const };
  const askRows = (rows: Float32Array, n: number): ReturnType<Ask> => ask(columnFeeds(inputs, rows, n, name), n);
  const areNumbers = async (rows: Float32Array): Promise<boolean> =>
    Object.values(await askRows(rows, probe.n)).every(({ data }) => data.every(Number.isFinite));
  const isFilled = dataset.columns?.some(({ missing }) => missing !== undefined) === true;
  const probed = await prepared(dataset, wanted, preprocessing)(probe.x, probe.n, probe.original);
  const handed = isFilled && isRaw(wanted) && (await columnsWithMissing(inputs, probed, probe.n, areNumbers));
  const prepare = prepared(dataset, wanted, preprocessing, handed || undefined);
  return {
    raw: async (x, n, original) => askRows(await prepare(x, n, original), n),
    layout: 'nhwc',
    input: inputs.map(({ input }) => input.name),
    preprocessing,
    ...(handed && { handed: [...handed] }),
  };
}

/**
 * Prepares samples for a file. Raw rows of a table are read from the data again: rounding would change the decisions of a tree. `handed`: see
 * `PictureForm`.
 */
function prepared(
  form: Pick<Dataset, 'sampleShape' | 'normalization'>,
  settings: TeacherNormalization | undefined,
  preprocessing: Preprocessing,
  handed?: ReadonlySet<string>,
) {
  const { sampleShape } = form;
  const [width = 0, ...more] = sampleShape;
  const normalization = { scale: 1, mean: new Array<number>(width).fill(0), std: new Array<number>(width).fill(1) };
  const isRawRow = more.length === 0 && settings !== undefined && isRaw(settings);
  return async (x: Float32Array, n: number, original?: AtSize): Promise<Float32Array> =>
    isRawRow && original !== undefined
      ? original({ sampleShape, normalization, handed })
      : preprocess(x, sampleShape, preprocessing);
}

/**
 * Asks about texts. All texts are padded to one length if the answers are per token or inner tensors are read, which must have equal shapes in all
 * batches.
 */
function textInput({ name, runtime, dataset }: FileTeacherSource, settings: FileTeacherSettings, ask: Ask): Asking {
  const inputs = textInputs(runtime.inputs, name, dataset);
  const isPerWord = ['word', 'token'].includes(taskRow(dataset.task).answersPer);
  const answer = isPerWord ? undefined : outputOf(runtime, name, settings, dataset);
  const pooling = answer && isPooled(dataset, settings) ? { output: answer, by: settings.pooling } : undefined;
  const textOptions = {
    data: dataset,
    name,
    whole: settings.intermediate.length > 0 || isPerWord,
    answer,
    pooling,
    ask,
  };
  return {
    raw: (x, n) => askedAboutTexts(x, n, inputs, textOptions),
    layout: 'nhwc',
    input: inputs.map(({ input }) => input.name),
    preprocessing: { text: dataset.text },
  };
}

/** True if the file answers with a vector for each token or place, which pooling reduces to one: the task asks for vectors, or the recipe sets `pooling`. */
function isPooled({ vector }: Pick<Dataset, 'vector'>, { pooling }: FileTeacherSettings): boolean {
  return vector !== undefined || pooling !== undefined;
}

/** Outputs that hold a vector of a whole sample, by which encoders name it. */
const VECTORS = ['sentence_embedding', 'image_embeds', 'text_embeds'];

const isFloat = ({ dtype }: ModelValue): boolean => dtype === 'float32' || dtype === 'float16';

/** The named output, or the first that can be logits: classifiers that also return the label return it first. */
function outputOf(
  { outputs }: Runnable,
  name: string,
  { output, intermediate }: FileTeacherSettings,
  { vector }: Pick<Dataset, 'vector'>,
): string {
  const candidates = outputs.filter((candidate) => !intermediate.includes(candidate.name));
  const found =
    output === undefined
      ? ((vector && candidates.find((one) => VECTORS.includes(one.name))) ?? candidates.find(isFloat) ?? candidates[0])
      : outputs.find((candidate) => candidate.name === output);
  const has = `It has: ${candidates.map((candidate) => candidate.name).join(', ') || 'none'}.`;
  if (found === undefined) {
    throw new UserError(`teacher.output: ${name} has no output${output === undefined ? '' : ` ${output}`}`, has);
  }
  const other = outputs.find((value) => (value === found || intermediate.includes(value.name)) && !isFloat(value));
  if (other === undefined) return found.name;
  throw new UserError(`${name}: expected float32 or float16 from ${other.name}, received ${other.dtype}`, has);
}

/** The file's output of each field, as the recipe names them; default: an output of the field's own name. */
function namedOutputs(
  { outputs }: Runnable,
  name: string,
  { outputs: named }: FileTeacherSettings,
  fields: readonly AnswerField[],
): string[] {
  const all = `Name the output of each field in teacher.outputs; the file has: ${outputs.map((output) => output.name).join(', ')}.`;
  return fields.map((field) => {
    const wanted = typeof named === 'string' ? field.name : (named[field.name] ?? field.name);
    const found = outputs.find((output) => output.name === wanted);
    if (found === undefined)
      throw new UserError(`teacher.outputs: ${name} has no output ${wanted} for the field ${field.name}`, all);
    if (!isFloat(found))
      throw new UserError(`${name}: expected float32 or float16 from ${wanted}, received ${found.dtype}`, all);
    return wanted;
  });
}

/** Names of the float outputs that are not read. */
function othersOf({ outputs }: Runnable, wanted: readonly string[]): string[] {
  return outputs.filter((output) => isFloat(output) && !wanted.includes(output.name)).map(({ name }) => name);
}

/** Outputs in float32. `UserError` for an output without one row per sample: some shape in the file then ignores the batch size. */
function floats(results: Readonly<Record<string, InferenceTensor>>, n: number, name: string): Record<string, Values> {
  return Object.fromEntries(
    Object.entries(results).map(([output, { data, shape }]) => {
      if (shape[0] !== n) {
        throw new UserError(
          `${name}: its output ${output} is [${shape.join(', ')}] for ${n} samples, expected ${n} rows`,
          'Export the teacher with the batch as the first axis of its input and outputs (dynamic, or of size 1).',
        );
      }
      return [output, { data: data instanceof Uint16Array ? fromHalfArray(data) : (data as Float32Array), shape }];
    }),
  );
}

/** Asks a file with a fixed batch size piece by piece; the last piece is padded with zeros. */
async function inPieces(
  data: Float32Array,
  n: number,
  size: number,
  run: (piece: Float32Array) => Promise<Readonly<Record<string, Values>>>,
): Promise<Record<string, Values>> {
  const each = data.length / n;
  const all: Record<string, { data: Float32Array; shape: readonly number[] }> = {};
  for (let start = 0; start < n; start += size) {
    const piece = new Float32Array(size * each);
    piece.set(data.subarray(start * each, Math.min(n, start + size) * each));
    for (const [name, { data: values, shape }] of Object.entries(await run(piece))) {
      const row = values.length / size;
      const whole = (all[name] ??= { data: new Float32Array(n * row), shape: [n, ...shape.slice(1)] });
      whole.data.set(values.subarray(0, Math.min(size, n - start) * row), start * row);
    }
  }
  return all;
}

function featureShape(shape: readonly number[], layout: 'nhwc' | 'nchw'): number[] {
  const [, ...rest] = shape;
  return layout === 'nchw' && rest.length === 3 ? [rest[1]!, rest[2]!, rest[0]!] : rest;
}

function featureOf({ data, shape }: Values, layout: 'nhwc' | 'nchw'): Float32Array {
  return layout === 'nchw' && shape.length === 4
    ? channelsLast(data, shape as unknown as readonly [number, number, number, number])
    : data;
}
