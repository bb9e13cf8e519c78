import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { BACKEND_NAME } from '../../../src/trace/backend.ts';
import type { GraphEvaluator } from '../../../src/trace/evaluate.ts';
import { setEvaluator } from '../../../src/trace/evaluate.ts';
import { install } from '../../../src/trace/install.ts';
import type { Ignored } from '../tfjs-ignored.ts';
import { installJasmine } from './jasmine.ts';

const ROOT = join(dirname(require.resolve('@tensorflow/tfjs-core/package.json')), 'dist');

type Body = ((done?: unknown) => unknown) | undefined;

export interface Counts {
  run: number;
  passed: number;
  ignored: number;
}

/**
 * Defines the tests of tfjs-core's own test files as tests of this file, on our backend. Those that `ignored` names are
 * not defined but counted.
 */
export function defineTfjsTests(
  load: readonly (readonly [file: string, () => unknown])[],
  evaluator: GraphEvaluator,
  ignored: readonly Ignored[],
): Counts {
  install();
  setEvaluator(evaluator);
  installJasmine();
  setTestEnvs([{ name: BACKEND_NAME, backendName: BACKEND_NAME, isDataSync: true, flags: {} }]);
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const counts: Counts = { run: 0, passed: 0, ignored: 0 };
  const path: string[] = [];
  const globals = globalThis as unknown as Record<string, unknown>;
  const { describe: realDescribe, it: realIt } = globalThis;
  globals.describe = (name: string, body: () => void) =>
    realDescribe(name, () => {
      path.push(name);
      body();
      path.pop();
    });
  globals.it = (name: string, body: Body, timeout?: number) => {
    const full = [...path, name].join(' ').replace(` ${BACKEND_NAME} {}`, '');
    if (ignored.some((entry) => entry.file === path[0] && full.includes(entry.test))) {
      counts.ignored++;
      return;
    }
    const counted = async (): Promise<void> => {
      counts.run++;
      await run(body);
      counts.passed++;
    };
    realIt(name, counted, timeout);
  };
  for (const [file, require] of load) {
    (globals.describe as typeof realDescribe)(file, () => {
      require();
    });
  }
  globals.describe = realDescribe;
  globals.it = realIt;
  return counts;
}

async function run(body: Body): Promise<void> {
  if (body === undefined) return;
  if (body.length === 0) {
    await body();
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const done = Object.assign(() => resolve(), {
      fail: (reason?: unknown) => reject(reason instanceof Error ? reason : new Error(String(reason))),
    });
    body(done);
  });
}

/** Paths of tfjs-core's test files under `folder` of its package, relative to it. */
export function testFiles(folder: string): string[] {
  return (readdirSync(join(ROOT, folder), { recursive: true }) as string[])
    .filter((file) => file.endsWith('_test.js'))
    .sort();
}

export function loaderOf(folder: string, file: string): readonly [string, () => unknown] {
  // oxlint-disable-next-line typescript/no-require-imports -- these files must share this module registry
  return [file, () => require(join(ROOT, folder, file)) as unknown];
}
