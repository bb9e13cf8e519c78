import '@tensorflow/tfjs-backend-cpu';
import { kernels } from '../../../src/trace/install.ts';
import { interpreterOn } from '../../../src/trace/interpret/evaluator.ts';
import { ignored, unlisted } from '../tfjs-ignored.ts';
import { defineTfjsTests, loaderOf, testFiles } from './suite.ts';

const left = new Set(unlisted.map(({ file }) => file));
const files = testFiles('ops').filter((file) => !left.has(file));
const counts = defineTfjsTests(
  files.map((file) => loaderOf('ops', file)),
  interpreterOn('cpu'),
  ignored,
);

describe("tfjs-core's op tests", () => {
  it('leaves out only files of kernels that the backend does not have', () => {
    const names = unlisted.map(({ why }) => why.split(':')[0]!);
    expect(names.filter((name) => name in kernels)).toEqual([]);
    expect(testFiles('ops')).toEqual(expect.arrayContaining([...left]));
  });

  it('ignores only tests that exist', () => {
    expect(counts.ignored).toBe(ignored.length);
  });

  it('passes at least 3,200 tests and ignores less than 1 % in the files of listed kernels', () => {
    console.log(`tfjs-core op tests: ${counts.run} run, ${counts.passed} passed, ${counts.ignored} ignored`);
    expect(counts.passed).toBe(counts.run);
    expect(counts.passed).toBeGreaterThanOrEqual(3200);
    expect(counts.ignored / (counts.run + counts.ignored)).toBeLessThan(0.01);
  });
});
