import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { start } from '../support/built.ts';

/** A server in a process of its own, whose memory is its own too. */
export interface Attacked {
  /** Such as `http:`. */
  readonly protocol: string;
  readonly port: number;
  readonly grpcPort: number;
  readonly pid: number;
  readonly end: () => Promise<void>;
}

export async function attacked(
  folder: string,
  files: Readonly<Record<string, Uint8Array>>,
  options: readonly string[] = [],
): Promise<Attacked> {
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(folder, name), bytes);
  const args = ['serve', folder, '--port', '0', '--grpc-port', '0', '--workers', '1', '--json', ...options];
  const { child, finished, output } = start(folder, args);
  while (!output().includes('grpcPort')) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (child.exitCode !== null) throw new Error((await finished).stderr);
  }
  const { url, grpcPort } = JSON.parse(output()) as { url: string; grpcPort: number };
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await finished;
  };
  const { protocol, port } = new URL(url);
  return { protocol, port: Number(port), grpcPort, pid: child.pid!, end };
}

/**
 * Asks for the health of a server every 10 ms, in a process of its own. Time that the thread of either process waited for a processor is not counted:
 * other programs took it.
 */
const PROBE = `
const { readFileSync } = require('node:fs');
const [protocol, port, pid] = process.argv.slice(1);
const http = require('node:' + protocol.replace(':', ''));
const agent = new http.Agent({ keepAlive: true, rejectUnauthorized: false });
let worst = 0, asked = 0, stopped = false;
const waited = () => [pid, process.pid].reduce((sum, id) => sum + Number(readFileSync('/proc/' + id + '/task/' + id + '/schedstat', 'utf8').split(' ')[1]) / 1e6, 0);
const ask = () => new Promise((resolve) => {
  const [began, before] = [performance.now(), waited()];
  const done = () => { worst = Math.max(worst, performance.now() - began - (waited() - before)); asked++; resolve(); };
  http.get({ port, host: '127.0.0.1', path: '/v2/health/live', agent }, (answer) => answer.resume().on('end', done)).on('error', () => { worst = 1e9; resolve(); });
});
process.stdin.on('end', () => { stopped = true; }).resume();
(async () => {
  await ask();
  console.log('began');
  while (!stopped) { await ask(); await new Promise((resolve) => setTimeout(resolve, 10)); }
  console.log(JSON.stringify({ worst, asked }));
  process.exit();
})();`;

export interface Health {
  /** Milliseconds of the slowest answer; beyond all measure without one. */
  readonly worst: number;
  readonly asked: number;
  /** MiB of memory that the process took at most, and all processes that it started, together. */
  readonly peak: number;
  readonly children: number;
}

/** Health of the server while `attack` goes on. */
export async function healthDuring({ protocol, port, pid }: Attacked, attack: () => Promise<unknown>): Promise<Health> {
  // The highest value so far becomes that of now.
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  const probe = spawn(process.execPath, ['-e', PROBE, protocol, String(port), String(pid)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  probe.stdout.on('data', (text) => (said += String(text)));
  const ended = new Promise((resolve) => probe.once('close', resolve));
  // An attack that is over before the first question would tell nothing.
  while (!said.includes('began')) await new Promise((resolve) => setTimeout(resolve, 10));
  let children = 0;
  const looking = setInterval(() => void childrenOf(pid).then((taken) => (children = Math.max(children, taken))), 50);
  await attack();
  clearInterval(looking);
  probe.stdin.end();
  await ended;
  const { worst, asked } = JSON.parse(said.split('\n')[1]!) as { worst: number; asked: number };
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return { worst, asked, children, peak: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Infinity) / 1024 };
}

/** MiB of memory of all processes that a process started. */
async function childrenOf(pid: number): Promise<number> {
  const said = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const all = await Promise.all(
    said
      .split(' ')
      .filter(Boolean)
      .map((child) => readFile(`/proc/${child}/status`, 'utf8').catch(() => '')),
  );
  return all.reduce((sum, status) => sum + Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024, 0);
}
