import { sum } from '../../base/numbers.ts';
import type { Dataset } from '../../data/dataset.ts';
import { missingByColumn } from '../../data/splits/missing.ts';
import type { Teacher } from './teacher.ts';

/** Notes on a table's missing values: how many reach the teacher, and how many are filled in before it. `isChanged`: the teacher is asked about changed samples. */
export function missingNotes(
  { name, ...teacher }: Pick<Teacher, 'name' | 'handed'>,
  splits: readonly Dataset[],
  isChanged: boolean,
): { readonly message?: string; readonly warning?: string } {
  // A changed sample is no row of the data, whose missing values could be handed on.
  const handed = isChanged ? [] : (teacher.handed ?? []);
  const [{ columns = [] }] = splits as [Dataset];
  const counts = [...missingByColumn(splits)].map(([at, count]) => [columns[at]!.name, count] as const);
  const as = (isHanded: boolean) => counts.filter(([column]) => handed.includes(column) === isHanded);
  const [given, filled] = [as(true), as(false)];
  const text = (some: typeof given): string => {
    const count = sum(some.map(([, each]) => each));
    return `${count} missing value${count === 1 ? '' : 's'} of ${listed(some)}`;
  };
  const [why, remedy] =
    teacher.handed === undefined
      ? [
          'its file has no input for each column',
          'Export it with an input for each column (docs/teachers.md), or let it answer by .npy',
        ]
      : isChanged
        ? ['dataset.augment changes its samples', 'Leave that out, or let it answer by .npy']
        : [
            'its file takes no NaN there',
            'Export it with floats for these columns and an imputer, or let it answer by .npy',
          ];
  return {
    ...(given.length > 0 && { message: `teacher ${name}: gets ${text(given)} as NaN or '', as a data frame has them` }),
    ...(filled.length > 0 && {
      warning: `teacher ${name}: does not get ${text(filled)}: ${why}, so it answers for the numbers that the recipe fills in, and an imputer inside has no effect. ${remedy}`,
    }),
  };
}

/** Names of columns with their counts. */
function listed(counts: readonly (readonly [string, number])[]): string {
  const most = 8;
  const some = counts.slice(0, most).map(([name, count]) => `${name} (${count})`);
  return `${some.join(', ')}${counts.length > most ? `, … (${counts.length} columns)` : ''}`;
}
