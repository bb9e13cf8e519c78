import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { filesAt, inPage } from './tasks.ts';

const PROGRAM = path.resolve('test/conformance/pipelines.mjs');
/** `run.mjs` installs them. */
const PACKAGES = path.resolve('.venv/transformers-js/node_modules');
const MODULE = path.join(PACKAGES, '@huggingface/transformers/dist/transformers.node.mjs');

export interface AskedFolder {
  readonly pipeline: string;
  readonly folder: string;
  readonly dtype: string;
  /** Texts, or paths of pictures. */
  readonly inputs: readonly string[];
  /** Least score of a box. */
  readonly threshold?: number;
  /** Largest number of tokens to write. */
  readonly tokens?: number;
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

/** What the same pipelines answer in Chromium, with the packages from npm; undefined where there is none. */
export async function inPipelinesOfChromium<T>(asked: readonly AskedFolder[]): Promise<T[][] | undefined> {
  const imports = {
    'onnxruntime-web/webgpu': '/package/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs',
    'onnxruntime-common': '/package/onnxruntime-common/dist/esm/index.js',
  };
  const page = `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="/pipelines-page.mjs"></script>`;
  const folders = asked.map(({ folder }, i) => [`/folders/${i}/`, folder] as const);
  const files = filesAt({
    '/package/': PACKAGES,
    ...Object.fromEntries(folders),
    '/pictures/': '/',
    '/': import.meta.dirname,
  });
  const calls = asked.map(({ inputs, ...one }, i) => {
    const given = inputs.map((input) => (path.isAbsolute(input) ? `/pictures${input}` : input));
    return ['answersOf', { ...one, name: String(i), inputs: given }] as const;
  });
  return inPage<T[]>(page, files, calls);
}
