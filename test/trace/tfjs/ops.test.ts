import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { interpreterOn } from '../../../src/trace/interpret/evaluator.ts';
import { ignored } from '../tfjs-ignored.ts';
import { defineTfjsTests } from './suite.ts';

const root = join(dirname(require.resolve('@tensorflow/tfjs-core/package.json')), 'dist');
const only = process.env.TFJS_ONLY;
const files = (readdirSync(join(root, 'ops'), { recursive: true }) as string[])
  .filter((file) => file.endsWith('_test.js'))
  .filter((file) => only === undefined || new RegExp(only).test(file))
  .sort();

const counts = defineTfjsTests(
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  files.map((file) => [file, () => require(join(root, 'ops', file)) as unknown] as const),
  interpreterOn('cpu'),
  ignored,
);

afterAll(() => console.log(JSON.stringify(counts)));
