import { shownFrom } from '../../../report/answer-figures.ts';
import { Slot } from '../../../base/registry.ts';
import { sampleId, countOfElements } from '../../../data/dataset.ts';
import type { Dataset, PointsForm, TargetValues } from '../../../data/dataset.ts';
import { textOfDate } from '../../../data/dates.ts';
import { rowReader } from '../../../data/storage/sample-storage.ts';
import { readSplits } from '../../../data/readers/read.ts';
import { pictureOf, thumbnail } from '../../../data/pictures/thumbnail.ts';
import { answerForms } from '../../../recipe/answer-forms.ts';
import { taskRow } from '../../../recipe/task.ts';
import type { Recipe } from '../../../recipe/schema.ts';
import type { Examples } from '../../../report/types.ts';
import { taskOf } from '../../../tasks/registry.ts';
import { taskOfWidth } from '../../../tasks/task.ts';
import type { Task } from '../../../tasks/task.ts';
import type { StageContext } from '../../context.ts';
import type { MeasuredModels } from './measure.ts';

/** Maximum number of samples, and of columns of a table row. */
const [SAMPLES, COLUMNS] = [12, 8];
/** Maximum number of characters of a text and of values of a sound: the sounds of a report take about 1 MB at most. */
const [CHARACTERS, PLAYED] = [400, 2 ** 15];

/** Samples on which the last student and the teacher differ; undefined if one of them is missing or they always agree. */
export async function examplesOf(
  { recipe, data }: Pick<StageContext, 'recipe' | 'data'>,
  measured: readonly MeasuredModels[],
): Promise<Examples | undefined> {
  const isTeacher = ({ row }: MeasuredModels): boolean => row.model.role === 'teacher';
  const teacher = measured.find(isTeacher);
  const student = measured.findLast(
    ({ row: { model, precision, format } }) =>
      precision === 'fp32' && format === 'onnx' && model.repeat === 0 && ['distilled', 'pruned'].includes(model.role),
  );
  if (teacher === undefined || student === undefined) return undefined;
  const split = data.test === undefined ? ('validation' as const) : ('test' as const);
  const dataset = data[split]!;
  const students = taskOf(dataset);
  const taught = teacher.answers();
  const task = taskOfWidth(students, taught.length / dataset.count);
  const own = task === students ? student.answers() : students.taught!.of(student.answers());
  const sizes = task.disagreement(own, taught, dataset.targets);
  const order = Array.from(sizes.keys()).filter((row) => sizes[row]! > 0);
  if (order.length === 0) return undefined;
  order.sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const chosen = task.masks === undefined ? order.slice(0, SAMPLES) : spread(order, SAMPLES);
  const { model } = student.row;
  const int8 = measured.findLast(
    ({ row }) => row.precision === 'int8' && row.model.repeat === 0 && row.model.role === model.role,
  );
  const masks = task.masks && int8?.answers();
  const shown = (await soundsOf(recipe, dataset, chosen)) ?? (await textsOf(recipe, dataset, chosen));
  const shownAnswers = (await EXAMPLES.loadIfThere(taskRow(task.name).form)) ?? besideSample;
  const rows = chosen.map(async (row, i) => {
    const picture = shown === undefined ? await thumbnail(dataset, row) : undefined;
    const { targets } = dataset;
    return {
      sample: sampleId(dataset, row),
      ...(await shownAnswers({
        task,
        row,
        targets,
        teacher: taught,
        student: own,
        int8: masks,
        least: { teacher: shownFrom(teacher.row), student: shownFrom(student.row) },
        shown: shown?.[i] ?? (picture === undefined ? valuesOf(dataset, row) : { picture }),
        isLabelled: data.labelledBy === undefined,
        skeleton: dataset.points?.skeleton,
      })),
    };
  });
  return {
    model: student.row.id,
    split,
    differ: order.length,
    samples: dataset.count,
    rows: await Promise.all(rows),
  };
}

/** A third of `count` from each: the beginning, the middle and the end. */
function spread(rows: readonly number[], count: number): readonly number[] {
  if (rows.length <= count) return rows;
  const third = count / 3;
  return [0, (rows.length - third) >> 1, rows.length - third].flatMap((from) => rows.slice(from, from + third));
}

type Example = Examples['rows'][number];
type Shown = Pick<Example, 'picture' | 'sound' | 'texts'>;

interface Differing {
  readonly task: Task;
  readonly row: number;
  readonly targets: TargetValues;
  readonly teacher: Float32Array;
  readonly student: Float32Array;
  /** Of the student's last int8 file. */
  readonly int8: Float32Array | undefined;
  /** Score from which boxes of teacher and student are shown. */
  readonly least: { readonly [K in 'teacher' | 'student']: number | undefined };
  /** The sample, in the form that the report shows it in. */
  readonly shown: Shown & Pick<Example, 'values'>;
  readonly isLabelled: boolean;
  /** Lines between points. */
  readonly skeleton?: PointsForm['skeleton'] | undefined;
}

/** A sample with the texts of the answers. */
export const besideSample = ({
  task,
  row,
  targets,
  shown,
  isLabelled,
  ...answers
}: Differing): Omit<Example, 'sample'> => ({
  ...shown,
  ...(isLabelled && { label: task.labelText(targets, row) }),
  teacher: task.textOf(answers.teacher, row, targets),
  student: task.textOf(answers.student, row, targets),
});

/** A sample with answers in a form of its own, such as boxes over a picture; other forms of answers are texts beside the sample. */
export type ShownAnswers = (of: Differing) => Omit<Example, 'sample'> | Promise<Omit<Example, 'sample'>>;

const EXAMPLES = new Slot<ShownAnswers>(answerForms, 'shownAnswers', 'examples in a report');

/** Sounds to play, with the spectrogram that a named model reads; undefined for other data. */
async function soundsOf(recipe: Recipe, { samples }: Dataset, rows: readonly number[]): Promise<Shown[] | undefined> {
  if (!('rate' in recipe.dataset)) return undefined;
  const { soundOf } = await import('../../../setup/sound.ts');
  const { spectraOf } = await import('../../../networks/sound/log-mel.ts');
  const { melShape } = await import('../../../networks/sound/mel.ts');
  const sound = soundOf(recipe.dataset)!;
  const { wavBytes } = await import('../../../data/sounds/wav.ts');
  const { length, rate } = sound;
  const heard = rows.map((row) => samples.subarray(row * length, (row + 1) * length) as Float32Array);
  const [frames, bands] = melShape(sound);
  return Promise.all(
    heard.map(async (values) => {
      const spectrum = await spectraOf(values, sound);
      // Time runs from left to right, with high frequencies on top.
      const upright = Float32Array.from({ length: frames * bands }, (_, i) => {
        const [band, frame] = [bands - 1 - Math.floor(i / frames), i % frames];
        return spectrum[frame * bands + band]!;
      });
      const from = Math.max(0, (length - PLAYED) >> 1);
      const wav = wavBytes({ rate, values: values.subarray(from, from + PLAYED) }).toString('base64');
      const picture = await pictureOf(upright, { width: frames, height: bands, channels: 1 });
      return { picture, sound: { wav, seconds: length / rate } };
    }),
  );
}

/** Texts of the samples, read again from the files; undefined for other data. */
async function textsOf(
  { dataset: config }: Recipe,
  dataset: Dataset,
  rows: readonly number[],
): Promise<Shown[] | undefined> {
  if (dataset.text === undefined) return undefined;
  const wanted = new Map(rows.map((row, i) => [sampleId(dataset, row), i]));
  const found: (readonly string[])[] = [];
  await readSplits(config, (id, texts) => {
    const at = wanted.get(id);
    if (at !== undefined) found[at] = texts;
  });
  // Drops the first half of a surrogate pair at the end.
  const begun = (text: string): string =>
    text.length > CHARACTERS ? `${text.slice(0, CHARACTERS).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
  return rows.map((_, i) => ({ texts: (found[i] ?? []).map(begun) }));
}

/** First columns of a table row, as written in the file. */
function valuesOf(dataset: Dataset, row: number): Pick<Examples['rows'][number], 'values'> {
  const { columns, sampleShape } = dataset;
  if (columns === undefined || sampleShape.length > 1) return {};
  const samples = rowReader(dataset, countOfElements(sampleShape))(row);
  let at = 0;
  const values = columns.map(({ name, words, date }) => {
    const from = at;
    at += (words ?? date)?.length ?? 1;
    if (date !== undefined) return { name, value: textOfDate(samples.subarray(from, at), date) };
    if (words === undefined) return { name, value: samples[from]! };
    return { name, value: words.find((_, i) => samples[from + i] === 1) ?? 'none of the known words' };
  });
  return { values: values.slice(0, COLUMNS) };
}
