import { spawn, spawnSync } from 'node:child_process';

/** Runs a command to its end, or kills it, and gives the JSON of its last line of output. Its errors pass through. */
export async function jsonOf(
  command: string,
  args: readonly string[],
  mostSeconds = Infinity,
): Promise<Record<string, unknown>> {
  const limit = Number.isFinite(mostSeconds)
    ? { timeout: Math.max(1, Math.round(mostSeconds * 1000)), killSignal: 'SIGKILL' as const }
    : {};
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...limit });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code === null && limit.timeout !== undefined)
    throw new Error(`${command} ${args.join(' ')} was stopped after ${mostSeconds.toFixed(0)} s`);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${String(code)}`);
  return JSON.parse(text.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
}

/** Runs a command to its end; its output passes through. */
export async function runToEnd(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with code ${String(code)}`);
}

/** The Python asked for, a file or a command; else the conformance tests' if it was set up. */
export function findPython(
  asked: string | undefined,
  known: readonly string[] = ['.venv/bin/python', '.venv/bin/python3'],
): string | undefined {
  const runs = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
  if (asked !== undefined && !runs(asked)) throw new Error(`--python ${asked}: this command cannot be run`);
  return asked ?? known.find(runs);
}

/** What PyTorch a Python has; a sentence if none. */
export function torchOf(python: string): { readonly version: string; readonly cuda: boolean } | string {
  const code =
    'import json, torch; print(json.dumps({"version": torch.__version__, "cuda": torch.cuda.is_available()}))';
  const { status, stdout, stderr } = spawnSync(python, ['-c', code], { encoding: 'utf8' });
  if (status !== 0) return `${python} has no PyTorch: ${stderr.trimEnd().split('\n').at(-1)!}`;
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as { version: string; cuda: boolean };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A table in Markdown, numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = line(widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)));
  return [line(header), rule, ...rows.map(line)].join('\n');
}
