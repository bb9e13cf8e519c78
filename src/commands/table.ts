import type { Context } from './context.ts';
import { wrapped } from './wrapped.ts';

/** Least width of a last column that is wrapped. */
const NARROW = 24;

/**
 * A table of left-aligned columns; numbers keep to the right. On a terminal that is too narrow for it, words in the last column are wrapped;
 * where that does not do either, each row is a block of lines with the names of the columns.
 */
export function table(
  rows: readonly (readonly string[])[],
  { isTerminal, columns }: Pick<Context, 'isTerminal' | 'columns'> = { isTerminal: false, columns: Infinity },
): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const isNumber = widths.map((_, i) => rows.slice(1).every((row) => /^[\d.,%+-]*( [a-zA-Z%]+)?$/.test(row[i] ?? '')));
  const cells = (row: readonly string[]): string[] =>
    row.map((cell, i) => (isNumber[i] === true ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)));
  const left = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = columns - left;
  const isWide = isTerminal && left + (widths.at(-1) ?? 0) > columns;
  if (isWide && (room < NARROW || isNumber.at(-1) === true)) return blocks(rows, columns);
  const lines = rows.flatMap((row) => {
    const head = cells(row.slice(0, widths.length - 1))
      .map((cell) => `${cell}  `)
      .join('');
    const last = row[widths.length - 1] ?? '';
    if (!isWide) return [head + (cells(row)[widths.length - 1] ?? '')];
    return wrapped(last, room).map((part, i) => (i === 0 ? head : ' '.repeat(left)) + part);
  });
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function blocks([head = [], ...rows]: readonly (readonly string[])[], columns: number): string {
  const left = Math.max(...head.map((name) => name.length)) + 4;
  const line = (name: string, cell: string): string[] =>
    wrapped(cell, columns - left).map((part, i) => (i === 0 ? `  ${name}` : '').padEnd(left) + part);
  const texts = rows.map(([first = '', ...cells]) => {
    const lines = cells.flatMap((cell, i) => (cell === '' ? [] : line(head[i + 1] ?? '', cell)));
    return `${[first, ...lines].join('\n')}\n`;
  });
  return texts.join('');
}
