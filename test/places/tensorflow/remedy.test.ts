import { tensorFlowRemedy } from '../../../src/places/tensorflow/remedy.ts';

it('names the set-up for CUDA where libtensorflow leaves a card unused, and only there', () => {
  expect(tensorFlowRemedy(false, true, 'linux')).toContain('npm run setup:tensorflow -- --cuda');
  expect(tensorFlowRemedy(true, true, 'linux')).toBeUndefined();
  expect(tensorFlowRemedy(false, false, 'linux')).toBeUndefined();
  expect(tensorFlowRemedy(false, true, 'win32')).toBeUndefined();
});
