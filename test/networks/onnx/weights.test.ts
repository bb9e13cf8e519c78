import { refuseNaN } from '../../../src/formats/onnx/refuse-nan.ts';

it('a constant that stands for no answer is not called diverged', () => {
  const refusal = (data: Float32Array) => () => refuseNaN(new Map([['w', { data }]]), 'm.onnx');
  expect(refusal(Float32Array.of(NaN))).toThrow('m.onnx: its constant w is NaN, which the model gives where it has no');
  expect(refusal(Float32Array.of(1, NaN))).toThrow('m.onnx: 1 of the 2 numbers of its weight w are NaN');
  expect(refusal(Float32Array.of(1, Infinity))).not.toThrow();
});
