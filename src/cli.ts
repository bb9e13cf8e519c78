#!/usr/bin/env node
import { EXIT, runProgram } from './commands/program.ts';

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

process.exitCode = await runProgram(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY,
  columns: process.stdout.columns,
  signal: interrupt.signal,
});
