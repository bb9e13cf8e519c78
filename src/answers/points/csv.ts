import path from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { shown, UserError } from '../../base/errors.ts';
import { readUtf8 } from '../../base/files.ts';
import type { NamedPoints } from './form.ts';
import { ABSENT, VISIBLE } from './layout.ts';
import { visibilityIn } from './objects.ts';
import type { AnnotatedObject, PointedBox } from './objects.ts';

const BOX = ['xmin', 'ymin', 'xmax', 'ymax'] as const;
const HEAD =
  'Its first line names the columns: file, then NAME_x, NAME_y and, if need be, NAME_v for each point; xmin, ymin, xmax, ymax for boxes.';

/** Points of pictures in a CSV file: a row for each object, with places in pixels. Paths of pictures start at the folder of the file. */
export async function pointsOfCsv(
  file: string,
): Promise<{ readonly named: NamedPoints; readonly objects: AnnotatedObject[] }> {
  const [head, ...rows] = await rowsOf(file);
  if (head === undefined) throw new UserError(`${file}: the file is empty`, HEAD);
  const columns = head.record.map((name) => name.trim());
  const names = pointNames(columns, file);
  const at = (name: string): number => columns.indexOf(name);
  const hasBoxes = BOX.some((side) => at(side) !== -1);
  const lacking = hasBoxes ? BOX.filter((side) => at(side) === -1) : [];
  if (lacking.length > 0)
    throw new UserError(
      `${file}:1: a box needs the columns ${BOX.join(', ')}, and ${lacking.join(', ')} is not there`,
      HEAD,
    );
  const objects = rows.map(({ record, line }): AnnotatedObject => {
    const where = `${file}:${line}`;
    if (record.length !== columns.length)
      throw new UserError(
        `${where}: ${record.length} values, and the first line has ${columns.length} columns`,
        'Write a value for each column; the places of an absent point stay empty.',
      );
    const number = (name: string): number | undefined => numberIn(record[at(name)]!, `${where}: ${name}`);
    const points = names.map((name) => {
      const [x, y] = [number(`${name}_x`), number(`${name}_y`)];
      if ((x === undefined) !== (y === undefined))
        throw new UserError(
          `${where}: the point ${name} has ${x === undefined ? 'y and no x' : 'x and no y'}`,
          'Write both, or leave both empty where the point is absent.',
        );
      const stated = at(`${name}_v`) === -1 ? VISIBLE : number(`${name}_v`);
      const visibility = x === undefined ? ABSENT : visibilityIn(stated ?? VISIBLE, where, name);
      return visibility === ABSENT ? { x: 0, y: 0, visibility } : { x: x!, y: y!, visibility };
    });
    const sides = hasBoxes ? BOX.map(number) : [];
    if (sides.includes(undefined) && sides.some((side) => side !== undefined))
      throw new UserError(`${where}: the box lacks a side`, `Write ${BOX.join(', ')}, or none of them.`);
    const box =
      hasBoxes && sides[0] !== undefined
        ? (Object.fromEntries(BOX.map((side, i) => [side, sides[i]])) as unknown as PointedBox)
        : undefined;
    const picture = record[at('file')]!.trim();
    if (picture === '')
      throw new UserError(`${where}: the row names no picture`, 'Write its path into the column file.');
    return { file: path.resolve(path.dirname(file), picture), where, unit: 'pixels', points, box };
  });
  if (objects.length === 0) throw new UserError(`${file}: expected a row for each picture, received none`, HEAD);
  return { named: { file, names }, objects };
}

async function rowsOf(file: string): Promise<{ readonly record: string[]; readonly line: number }[]> {
  const text = await readUtf8(file);
  try {
    const options = { bom: true, relax_column_count: true, skip_empty_lines: true, info: true } as const;
    const found = parse(text, options) as unknown as { record: string[]; info: { lines: number } }[];
    return found.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UserError(`${file}: not usable CSV: ${error.message}`, 'Correct it.', { cause: error });
  }
}

/** Names of the points in the order of their columns. `UserError` for a first line without points. */
function pointNames(columns: readonly string[], file: string): string[] {
  const where = `${file}:1`;
  if (!columns.includes('file'))
    throw new UserError(
      `${where}: expected a column file with the paths of the pictures, received ${columns.join(', ')}`,
      HEAD,
    );
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`${where}: two columns are called ${shown(twice)}`, HEAD);
  const known = columns.filter((name) => name !== 'file' && !BOX.some((side) => side === name));
  const wrong = known.find((name) => !/._[xyv]$/.test(name));
  if (wrong !== undefined) throw new UserError(`${where}: ${shown(wrong)} is no column of a point`, HEAD);
  const names = [...new Set(known.map((name) => name.slice(0, -2)))];
  for (const name of names)
    for (const axis of ['x', 'y'])
      if (!columns.includes(`${name}_${axis}`))
        throw new UserError(`${where}: the point ${name} has no column ${name}_${axis}`, HEAD);
  if (names.length === 0) throw new UserError(`${where}: there is no column of a point`, HEAD);
  return names;
}

/** A number, or undefined for an empty text. */
function numberIn(text: string, where: string): number | undefined {
  if (text.trim() === '') return undefined;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new UserError(
    `${where}: ${shown(text)} is no number`,
    'Correct it, or leave it empty where the point is absent.',
  );
}
