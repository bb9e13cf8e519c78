import type { Log, Verbosity } from '../base/log.ts';

/** The control sequence that erases the line of the progress bar, and the control sequences of colours: the terminal gets no others. */
export const CLEAR_LINE = '\r\u001b[2K';
export const COLOURS = { red: '\u001b[31m', green: '\u001b[32m', plain: '\u001b[39m' } as const;

/** Context of every command: streams to print to, verbosity, terminal, and the signal that stops it. */
export interface CommandContext {
  readonly json: boolean;
  readonly verbosity: Verbosity;
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Writes the result to stdout. */
  readonly out: (text: string) => void;
  /** Writes all other text: to stdout, or to stderr with `--json`. */
  readonly note: (text: string) => void;
}

export interface GlobalArgs {
  readonly json: boolean;
  readonly quiet: boolean | undefined;
  readonly verbose: boolean | undefined;
  readonly dumpGraph?: string | undefined;
}

export function printJson(context: CommandContext, value: unknown): void {
  context.out(`${JSON.stringify(value, null, 2)}\n`);
}

/** The log for people. Loaded on demand: winston takes longer than all of `--help`. */
export async function openLog(context: CommandContext): Promise<Log> {
  const { consoleLog } = await import('../base/log.ts');
  return consoleLog(context.verbosity, context.note);
}
