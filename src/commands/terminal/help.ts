import type { CommandRow } from '../commands.ts';
import { wrapped } from './wrapped.ts';

const GLOBAL_OPTIONS: readonly (readonly [string, string])[] = [
  ['--json', 'Print the result as JSON'],
  ['--quiet', 'Print warnings and the result only'],
  ['--verbose', 'Print details too'],
  ['--dump-graph', 'Folder to write: the graphs of what is computed, as text'],
  ['--version', 'Print the version'],
  ['-h, --help', 'Print this, or the options of a command'],
];

/** Text of `limbeck --help`, made from the list of commands without yargs, whose loading (80 ms) takes longer than everything else. */
export function helpText(commands: readonly Pick<CommandRow, 'name' | 'summary'>[], columns: number): string {
  const rows = commands.map(({ name, summary }) => [`limbeck ${name}`, summary] as const);
  const completion = [
    'limbeck completion',
    'Print a script for shell completion: limbeck completion >> ~/.bashrc',
  ] as const;
  return [
    'limbeck <command>',
    '',
    'Make a small model out of a large one: distil, compress, export, measure.',
    '',
    'Commands:',
    ...lines([...rows, completion], columns),
    '',
    'Options:',
    ...lines(GLOBAL_OPTIONS, columns),
    '',
  ].join('\n');
}

function lines(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const left = Math.max(...rows.map(([name]) => name.length)) + 4;
  return rows.flatMap(([name, text]) =>
    wrapped(text, Math.max(20, columns - left)).map((part, i) => (i === 0 ? `  ${name}` : '').padEnd(left) + part),
  );
}
