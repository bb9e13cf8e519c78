import { runProgram } from '../../src/commands/program.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What the command line does in `cwd`, without the second that a process of its own takes to load everything. Paths are
 * resolved against the working folder of the process, so one call at a time.
 */
export async function inProcess(cwd: string, ...args: readonly string[]): Promise<Outcome> {
  const before = process.cwd();
  let [stdout, stderr] = ['', ''];
  process.chdir(cwd);
  try {
    const code = await runProgram(args, {
      out: (text) => (stdout += text),
      note: (text) => (stdout += text),
      err: (text) => (stderr += text),
      isTerminal: false,
      columns: undefined,
      signal: new AbortController().signal,
    });
    return { code, stdout, stderr };
  } finally {
    process.chdir(before);
  }
}
