#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import type { Argv } from 'yargs';
import { InterruptedError, UserError } from './base/errors.ts';
import type { Command } from './commands/command.ts';
import type { Context, GlobalArgs } from './commands/context.ts';
import { benchCommand } from './commands/bench.ts';
import { compareCommand } from './commands/compare.ts';
import { datasetsCommand } from './commands/datasets.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { exportCommand } from './commands/export.ts';
import { helpText } from './commands/help.ts';
import { initCommand } from './commands/init.ts';
import { inspectCommand } from './commands/inspect.ts';
import { reportCommand } from './commands/report.ts';
import { resumeCommand } from './commands/resume.ts';
import { runCommand } from './commands/run.ts';
import { schemaCommand } from './commands/schema.ts';
import { validateCommand } from './commands/validate.ts';

const commands = [
  runCommand,
  resumeCommand,
  validateCommand,
  evaluateCommand,
  exportCommand,
  reportCommand,
  compareCommand,
  benchCommand,
  datasetsCommand,
  inspectCommand,
  initCommand,
  doctorCommand,
  schemaCommand,
] as const;

const EXIT = { user: 1, bug: 70, interrupted: 130 };

const interrupt = new AbortController();
process.on('SIGINT', onInterrupt);
process.on('SIGTERM', onInterrupt);

function onInterrupt(): void {
  // The second one means it: what was saved last stays.
  if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
  process.stderr.write('\nstopping after this step; press Ctrl-C again to stop at once\n');
  interrupt.abort();
}

// A reader such as `head` that has seen enough is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

function contextOf({ json, quiet, verbose }: GlobalArgs): Context {
  const out = (text: string): void => void process.stdout.write(text);
  return {
    json,
    verbosity: quiet === true ? 'quiet' : verbose === true ? 'verbose' : 'normal',
    isTerminal: process.stdout.isTTY,
    columns: process.stdout.columns ?? 80,
    signal: interrupt.signal,
    out,
    note: json ? (text) => void process.stderr.write(text) : out,
  };
}

function add<Args extends object>(parser: Argv<GlobalArgs>, { name, summary, options, run }: Command<Args>): void {
  parser.command(
    name,
    summary,
    (inner) => options(inner as unknown as Argv) as unknown as Argv<Args & GlobalArgs>,
    async (args) => run(args as unknown as Args, contextOf(args)),
  );
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && ['--help', '-h', 'help'].includes(args[0]!)) {
    process.stdout.write(helpText(commands, Math.min(110, process.stdout.columns ?? 110)));
    return;
  }
  const { default: yargs } = await import('yargs');
  const parser: Argv<GlobalArgs> = yargs([...args])
    .scriptName('limbeck')
    .usage('$0 <command>\n\nMake a small model out of a large one: distil, compress, export, measure.')
    .option('json', { type: 'boolean', default: false, global: true, describe: 'Print the result as JSON' })
    .option('quiet', { type: 'boolean', global: true, describe: 'Print warnings and the result only' })
    .option('verbose', { type: 'boolean', global: true, describe: 'Print details too' })
    .conflicts('quiet', 'verbose')
    .version(version())
    .help()
    .alias('h', 'help')
    .strict()
    .demandCommand(1, 1, 'Name a command.')
    .recommendCommands()
    .completion('completion', 'Print a script for shell completion: limbeck completion >> ~/.bashrc')
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .fail((message: string | null, error: Error | undefined) => {
      if (error !== undefined && error !== null) throw error;
      throw new UserError(message ?? 'the command line cannot be understood', 'Run `limbeck --help`.');
    });
  for (const command of commands) add(parser, command as unknown as Command<object>);
  await parser.parseAsync();
}

/** Two lines for the user's mistakes, a stack for ours. */
function explain(error: unknown): number {
  if (error instanceof UserError) {
    process.stderr.write(`${error.message}\n${error.hint}\n`);
    return EXIT.user;
  }
  if (error instanceof InterruptedError) {
    process.stderr.write(`${error.message}\n`);
    return EXIT.interrupted;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${stack}\nThis is a bug in Limbeck. Please report it with the lines above and the recipe.\n`);
  return EXIT.bug;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = explain(error);
}
