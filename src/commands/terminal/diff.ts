import { allowsColour } from '../../base/process/environment.ts';
import { unifiedDiff } from '../../base/unified-diff.ts';
import { COLOURS } from '../context.ts';
import type { CommandContext } from '../context.ts';

/** Changes of a file as a unified diff, coloured on a terminal. */
export function shownDiff(
  before: string,
  after: string,
  file: string,
  { isTerminal }: Pick<CommandContext, 'isTerminal'>,
): string {
  const isColoured = isTerminal && allowsColour();
  const colourOf = (line: string): string =>
    line.startsWith('-') ? COLOURS.red : line.startsWith('+') ? COLOURS.green : '';
  return unifiedDiff(before, after, file)
    .map((line) => (isColoured && colourOf(line) !== '' ? `${colourOf(line)}${line}${COLOURS.plain}\n` : `${line}\n`))
    .join('');
}
