import { sampleId, sizeOf } from '../../data/dataset.ts';
import type { Dataset } from '../../data/dataset.ts';
import { thumbnail } from '../../data/thumbnail.ts';
import type { Examples } from '../../report/types.ts';
import { taskOf } from '../../tasks/registry.ts';
import type { StageContext } from '../context.ts';
import type { Measured } from './measure.ts';

/** Most samples that are shown, and most columns of one. */
const [SAMPLES, COLUMNS] = [12, 8];

/** Samples on which the last student and the teacher differ; undefined where one of them is missing, or they never differ. */
export async function examplesOf(
  { data }: Pick<StageContext, 'data'>,
  measured: readonly Measured[],
): Promise<Examples | undefined> {
  const isTeacher = ({ row }: Measured): boolean => row.model.role === 'teacher';
  const teacher = measured.find(isTeacher);
  const student = measured.findLast(({ row: { model, precision, format } }) => precision === 'fp32' && format === 'onnx' && model.repeat === 0 && ['distilled', 'pruned'].includes(model.role)); // prettier-ignore
  if (teacher === undefined || student === undefined) return undefined;
  const split = data.test === undefined ? ('validation' as const) : ('test' as const);
  const dataset = data[split]!;
  const task = taskOf(dataset);
  const sizes = task.disagreement(student.answers, teacher.answers);
  const order = Array.from(sizes.keys()).filter((row) => sizes[row]! > 0);
  if (order.length === 0) return undefined;
  order.sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const rows = order.slice(0, SAMPLES).map(async (row) => {
    const picture = await thumbnail(dataset, row);
    return {
      sample: sampleId(dataset, row),
      ...(picture === undefined ? valuesOf(dataset, row) : { picture }),
      ...(data.labelledBy === undefined && { label: task.labelText(dataset.targets, row) }),
      teacher: task.textOf(teacher.answers, row),
      student: task.textOf(student.answers, row),
    };
  });
  return {
    ...{ model: student.row.id, split, differ: order.length, samples: dataset.count },
    rows: await Promise.all(rows),
  };
}

/** First columns of a row of a table, as they are in the file. */
function valuesOf({ columns, samples, sampleShape }: Dataset, row: number): Pick<Examples['rows'][number], 'values'> {
  if (columns === undefined || sampleShape.length > 1) return {};
  let at = row * sizeOf(sampleShape);
  const values = columns.map(({ name, words }) => {
    const from = at;
    at += words?.length ?? 1;
    if (words === undefined) return { name, value: samples[from]! };
    return { name, value: words.find((_, i) => samples[from + i] === 1) ?? 'none of the known words' };
  });
  return { values: values.slice(0, COLUMNS) };
}
