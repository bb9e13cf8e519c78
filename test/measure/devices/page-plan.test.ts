import { lowerToOnnx } from '../../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { pagePlanOf } from '../../../src/measure/devices/page-plan.ts';
import { floats, sketch } from '../../formats/tflite/support.ts';

it('a page is given the batches that it may measure, and told of others', () => {
  const bytes = encodeModel(lowerToOnnx(sketch((g) => g.op('Relu', [g.input('x', floats('batch', 6))]))));
  const options = { title: '', batchSizes: [1, 100_000], threads: [1], seconds: 1 };
  const { plan, skipped } = pagePlanOf([{ name: 'm.onnx', bytes }], options);
  expect(plan.models[0]!.settings.map(({ batchSize }) => batchSize)).toEqual([1]);
  expect(skipped).toEqual([{ what: 'm.onnx at batch 100000', why: 'a page measures batches of at most 65536' }]);
});
