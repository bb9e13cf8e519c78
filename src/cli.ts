#!/usr/bin/env node
import './features.ts';
import { EXIT } from './commands/terminal/failure.ts';
import { runProgram } from './commands/program.ts';

const interrupt = new AbortController();
/** True once the command listens to the signal. */
let isWatched = false;
/** Exit code of a command that is stopped: that of the first signal. */
let stopped: number | undefined;
// A command that does not listen is ended by the system, however busy it is: nobody hears of a signal in a loop. Only the first process of a
// container is not ended so.
if (process.pid === 1) listen();

function listen(): void {
  process.on('SIGINT', () => onInterrupt(EXIT.interrupted, 'press Ctrl-C again to stop at once'));
  process.on('SIGTERM', () => onInterrupt(EXIT.terminated, 'a second signal stops at once'));
}

function onInterrupt(code: number, again: string): void {
  // The second one means it: what was saved last stays.
  if (!isWatched || stopped !== undefined) process.exit(stopped ?? code);
  stopped = code;
  process.stderr.write(`\nstopping: what has begun is finished and saved; ${again}\n`);
  interrupt.abort();
}

/** True after a result was printed: then the exit code reports a failure to print. */
let hasResult = false;
/** True after the warning that messages are lost. */
let isTold = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader such as `head` closes the pipe: not an error. The exit code is that of any program that SIGPIPE ends.
    if (error.code === 'EPIPE') process.exit(EXIT.pipe);
    if (stream === process.stdout && !isTold) process.stderr.write(`cannot print: ${error.message}\n`);
    isTold = true;
    // A full disk under the log must not end a server or a training.
    if (stream === process.stdout && hasResult) process.exit(EXIT.user);
  });
}

const exitCode = await runProgram(process.argv.slice(2), {
  out: (text) => {
    hasResult = true;
    process.stdout.write(text);
  },
  note: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isTerminal: process.stdout.isTTY,
  get columns() {
    return process.stdout.columns;
  },
  get signal() {
    if (!isWatched && process.pid !== 1) listen();
    isWatched = true;
    return interrupt.signal;
  },
});
process.exitCode = exitCode === EXIT.interrupted ? (stopped ?? exitCode) : exitCode;
