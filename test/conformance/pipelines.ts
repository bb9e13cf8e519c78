import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PROGRAM = path.resolve('test/conformance/pipelines.mjs');
/** `run.mjs` installs it. */
const MODULE = path.resolve('.venv/transformers-js/node_modules/@huggingface/transformers/dist/transformers.node.mjs');

export interface AskedFolder {
  readonly pipeline: string;
  readonly folder: string;
  readonly dtype: string;
  /** Texts, or paths of pictures. */
  readonly inputs: readonly string[];
  /** Least score of a box. */
  readonly threshold?: number;
}

/** What pipeline() of transformers.js answers to the inputs of each folder: labels as text, or vectors as numbers. Fails the test otherwise. */
export async function inPipelines<T>(asked: readonly AskedFolder[]): Promise<T[][]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'asked-'));
  try {
    const file = path.join(folder, 'asked.json');
    await writeFile(file, JSON.stringify(asked));
    const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM, MODULE, file], { encoding: 'utf8', maxBuffer: 1e8 }); // prettier-ignore
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as T[][];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
