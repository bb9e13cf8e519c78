import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { built } from './built.ts';

/** Whether util-linux' `script` is here, which gives a program a terminal. */
export const hasTerminal = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0;

/**
 * The command line on a terminal, whose user types each of `answers` when the prompt before it has been shown. Resolves to
 * the exit code and to what the terminal showed.
 */
export function onTerminal(
  cwd: string,
  command: string,
  answers: readonly (readonly [prompt: string | RegExp, keys: string])[],
) {
  const line = `${process.execPath} ${path.join(built(), 'dist/cli.js')} ${command}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], { cwd });
  const left = [...answers];
  let [shown, since] = ['', 0];
  const answer = (): void => {
    const [next] = left;
    if (next === undefined || shown.slice(since).search(next[0]) < 0) return;
    since = shown.length;
    left.shift();
    child.stdin.write(next[1]);
  };
  child.stdout.on('data', (data) => {
    shown += String(data);
    answer();
  });
  answer();
  return new Promise<{ code: number | null; shown: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, shown }));
  });
}
