import '@tensorflow/tfjs-backend-cpu';
import { interpreterOn } from '../../../src/trace/interpret/evaluator.ts';
import { ignoredCore } from '../tfjs-ignored.ts';
import { defineTfjsTests, loaderOf } from './suite.ts';

/** tfjs-core's tests of what stands on a backend: tensors, variables, gradients, optimizers, memory. */
const FILES = [
  'buffer_test.js',
  'debug_mode_test.js',
  'engine_test.js',
  'globals_test.js',
  'gradients_test.js',
  'kernel_registry_test.js',
  'optimizers/adadelta_optimizer_test.js',
  'optimizers/adagrad_optimizer_test.js',
  'optimizers/adam_optimizer_test.js',
  'optimizers/adamax_optimizer_test.js',
  'optimizers/momentum_optimizer_test.js',
  'optimizers/optimizer_test.js',
  'optimizers/rmsprop_optimizer_test.js',
  'optimizers/sgd_optimizer_test.js',
  'profiler_test.js',
  'serialization_test.js',
  'tape_test.js',
  'tensor_test.js',
  'tensor_util_test.js',
  'variable_test.js',
];

const counts = defineTfjsTests(
  FILES.map((file) => loaderOf('', file)),
  interpreterOn('cpu'),
  ignoredCore,
);

describe("tfjs-core's tests of tensors, variables, gradients and optimizers", () => {
  it('pass, at least 400 of them', () => {
    console.log(`tfjs-core tests: ${counts.run} run, ${counts.passed} passed, ${counts.ignored} ignored`);
    expect(counts.passed).toBe(counts.run);
    expect(counts.passed).toBeGreaterThanOrEqual(400);
  });
});
