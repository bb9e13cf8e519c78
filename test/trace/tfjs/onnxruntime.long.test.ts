import '@tensorflow/tfjs-backend-cpu';
import { evaluator } from '../../../src/runtime/onnxruntime/evaluator.ts';
import type { Ignored } from '../tfjs-ignored.ts';
import { ignored, unlisted } from '../tfjs-ignored.ts';
import { defineTfjsTests, loaderOf, testFiles } from './suite.ts';

/** Tests that an interpreter on tfjs' cpu backend passes and ONNX Runtime does not. */
const alsoIgnored: readonly Ignored[] = [
  { file: 'exp_test.js', test: 'int32', why: 'exp(10) is one float32 step off, which is just above the tolerance' },
  ...['max', 'avg'].map((kind) => ({
    file: 'pool_test.js',
    test: `${kind} x=[2,2,3] f=[1,1] s=2 p=1 fractional outputs default rounding`,
    why: 'expects the input back although three of the four windows lie in the padding: a shortcut of tfjs for 1×1 windows',
  })),
];

const left = new Set(unlisted.map(({ file }) => file));
const counts = defineTfjsTests(
  testFiles('ops')
    .filter((file) => !left.has(file))
    .map((file) => loaderOf('ops', file)),
  evaluator,
  [...ignored, ...alsoIgnored],
);

describe("tfjs-core's op tests, computed by ONNX Runtime", () => {
  it('all pass that pass on an interpreter', () => {
    console.log(
      `tfjs-core op tests on ONNX Runtime: ${counts.run} run, ${counts.passed} passed, ${counts.ignored} ignored`,
    );
    expect(counts.passed).toBe(counts.run);
    expect(counts.passed).toBeGreaterThanOrEqual(3200);
  });
});
