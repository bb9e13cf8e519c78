import type { CommandContext } from '../context.ts';
import { wrapped } from './wrapped.ts';

/** Minimum width of a wrapped column of words. */
const NARROW = 24;

/**
 * A table of left-aligned columns; numbers are right-aligned. In a narrow terminal the widest columns of words are wrapped; if that does not suffice,
 * each row becomes a block of lines with the names of the columns.
 */
export function textTable(
  rows: readonly (readonly string[])[],
  { isTerminal, columns }: Pick<CommandContext, 'isTerminal' | 'columns'> = { isTerminal: false, columns: Infinity },
): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const isNumber = widths.map((_, i) => rows.slice(1).every((row) => /^[\d.,%+-]*( [a-zA-Z%]+)?$/.test(row[i] ?? '')));
  const most = isTerminal ? columns : Infinity;
  const whole = (): number => widths.reduce((sum, width) => sum + width + 2, -2);
  while (whole() > most) {
    const widest = widths.reduce((best, width, i) => (!isNumber[i] && width > (widths[best] ?? 0) ? i : best), -1);
    if ((widths[widest] ?? 0) <= NARROW) return blocks(rows, columns);
    const next = Math.max(
      NARROW,
      ...widths.filter((width, i) => i !== widest && !isNumber[i] && width < widths[widest]!),
    );
    widths[widest] = Math.max(next, widths[widest]! - (whole() - most), NARROW);
  }
  const lines = rows.flatMap((row) => {
    const cells = row.map((cell, i) => (cell.length > widths[i]! ? wrapped(cell, widths[i]!) : [cell]));
    return Array.from({ length: Math.max(...cells.map(({ length }) => length)) }, (_, n) =>
      cells
        .map(({ [n]: part = '' }, i) => (isNumber[i] === true ? part.padStart(widths[i]!) : part.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    );
  });
  return `${lines.join('\n')}\n`;
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
