import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { printable, shown, UserError } from '../base/errors.ts';
import type { Command } from './options/command.ts';
import { allCommands, wordOf } from './commands.ts';
import type { CommandRow } from './commands.ts';
import { CLEAR_LINE, COLOURS } from './context.ts';
import type { CommandContext, GlobalArgs } from './context.ts';
import { failureOf } from './terminal/failure.ts';
import { helpText } from './terminal/help.ts';
import { misuse } from './options/misuse.ts';
import { checkValues, optionsOf, requireValues } from './options/values.ts';
import type { OptionTable } from './options/values.ts';

/** Environment of the program: streams, terminal and signals, given by a process or by a test. */
export interface ProgramHost {
  /** The result. */
  readonly out: (text: string) => void;
  /** Messages on the same stream as the result. */
  readonly note: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTerminal: boolean;
  /** Width of the terminal; undefined without one. */
  readonly columns: number | undefined;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command line and returns the exit code. The reason for a code other than 0 is written to `err`, and with `--json` also to `out`, as `{
 * error: JsonFailure }`.
 */
export async function runProgram(args: readonly string[], host: ProgramHost): Promise<number> {
  try {
    await parse(args, host);
    return 0;
  } catch (error) {
    const { exitCode, text, json } = failureOf(error);
    host.err(text);
    if (asksJson(args)) host.out(`${JSON.stringify({ error: json }, null, 2)}\n`);
    return exitCode;
  }
}

/** Looks for `--json` among the raw words, because a command line that yargs cannot parse has no options yet. */
function asksJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const word = (end < 0 ? args : args.slice(0, end)).findLast((arg) => /^--json(=|$)/.test(arg));
  return word !== undefined && word !== '--json=false';
}

/** A terminal of unknown size reports 0. */
function widthOf({ columns = 0 }: ProgramHost, otherwise: number): number {
  return columns > 0 ? columns : otherwise;
}

export function contextOf({ json, quiet, verbose }: GlobalArgs, host: ProgramHost): CommandContext {
  const { out, note, err, isTerminal } = host;
  return {
    json,
    verbosity: quiet === true ? 'quiet' : verbose === true ? 'verbose' : 'normal',
    isTerminal,
    // A getter, because the terminal may be resized during a run.
    get columns() {
      return widthOf(host, 80);
    },
    // A getter: only commands that handle Ctrl-C themselves ask for it.
    get signal() {
      return host.signal;
    },
    out: json ? out : forTerminal(out),
    note: forTerminal(json ? err : note),
  };
}

/** Returns `write` with control characters escaped, since names in untrusted files may contain them; our own of progress bar and colours pass. */
function forTerminal(write: ProgramHost['out']): ProgramHost['out'] {
  const own = [CLEAR_LINE, ...Object.values(COLOURS)];
  const clean = (text: string, [first, ...others]: readonly string[]): string =>
    first === undefined
      ? printable(text)
      : text
          .split(first)
          .map((part) => clean(part, others))
          .join(first);
  return (text) => write(clean(text, own));
}

function add<Args extends object>(
  parser: Argv<GlobalArgs>,
  { name, summary }: CommandRow,
  { options, run }: Command<Args>,
  host: ProgramHost,
): void {
  parser.command(
    name,
    summary,
    (inner) => {
      const whole = options(inner) as unknown as Argv<Args & GlobalArgs>;
      requireValues(whole);
      return whole;
    },
    async (args) => {
      const context = contextOf(args, host);
      if (args.dumpGraph === undefined) return run(args as unknown as Args, context);
      const { dumpGraphs } = await import('../tools/dump-graph.ts');
      const dump = await dumpGraphs(args.dumpGraph);
      await run(args as unknown as Args, context).finally(dump.end);
      const count = dump.count();
      const made = count === 0 ? 'no graph: none was made' : `${count} graphs, listed in index.txt`;
      context.note(`${args.dumpGraph}: ${made}\n`);
    },
  );
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function parse(given: readonly string[], host: ProgramHost): Promise<void> {
  const args = given[0] === 'help' && given.length === 2 ? [given[1]!, '--help'] : given;
  const width = Math.min(110, widthOf(host, 80));
  if (args.length === 1 && ['--help', '-h', 'help'].includes(args[0]!)) {
    host.out(helpText(allCommands(), width));
    return;
  }
  const [first, second] = args;
  // yargs would ignore further words.
  if (first === 'completion' && second !== undefined && !['--help', '-h'].includes(second))
    throw new UserError(
      `completion: expected nothing more, received ${shown(second)}`,
      'It prints the script of bash, or of zsh where the environment variable SHELL names it.',
      { kind: 'usage' },
    );
  const { default: yargs } = await import('yargs');
  const parser: Argv<GlobalArgs> = yargs([...args])
    .scriptName('limbeck')
    .usage('$0 <command>\n\nMake a small model out of a large one: distil, compress, export, measure.')
    .option('json', { type: 'boolean', default: false, global: true, describe: 'Print the result as JSON' })
    .option('quiet', { type: 'boolean', global: true, describe: 'Print warnings and the result only' })
    .option('verbose', { type: 'boolean', global: true, describe: 'Print details too' })
    .option('dump-graph', {
      type: 'string',
      global: true,
      describe: 'Folder to write: the graphs of what is computed, as text, at each stage of their lowering',
    })
    .conflicts('quiet', 'verbose')
    // File names may contain dots, and no option has a `no-` form: both settings would only turn mistakes into values of the wrong type.
    .parserConfiguration({ 'dot-notation': false, 'boolean-negation': false })
    // yargs passes its options to a check, which its types do not declare.
    .check((values, options) => checkValues(values, options as unknown as OptionTable, args))
    .version(version())
    .help()
    .alias('h', 'help')
    .strict()
    .demandCommand(1, 1, 'Name a command.')
    .recommendCommands()
    .completion('completion', 'Print a script for shell completion: limbeck completion >> ~/.bashrc')
    .wrap(width)
    .fail((message: string | null, error: Error | undefined) => {
      if (error !== undefined && error !== null && error.name !== 'YError') throw error;
      const fact = error?.message ?? message ?? 'the command line cannot be understood';
      throw misuse(fact, args, allCommands(), Object.keys(optionsOf(parser).key));
    });
  // A shell that completes words asks for the options of any command.
  const isAsked = (row: CommandRow): boolean => args.includes(wordOf(row)) || args.includes('--get-yargs-completions');
  for (const row of allCommands()) {
    if (!isAsked(row)) {
      parser.command(row.name, row.summary);
      continue;
    }
    const command = await row.load();
    await command.prepare?.();
    add(parser, row, command, host);
  }
  await parser.parseAsync();
}
