import type { ModelRow } from '../../../src/report/types.ts';
import { encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import { oneField } from '../../../src/tasks/fields.ts';
import { endsOf } from '../../../src/ship/kit/ends.ts';
import { modelOf } from '../../support/onnx-steps.ts';

const row = { file: 'm.onnx', format: 'onnx' } as ModelRow;

/** What is said of a file with an input and an output of these types. */
function unfed(input: 'float32' | 'uint8' | 'int64', output: 'float32' | 'int8'): string | undefined {
  const { graph, ...rest } = modelOf(['n', 4], {}, [['Identity', ['x']]]);
  const ends = {
    inputs: [{ name: 'x', dtype: input, dims: ['n', 4] }],
    outputs: [{ name: 'y', dtype: output, dims: ['n', 4] }],
  };
  return endsOf({ row, bytes: encodeModel({ ...rest, graph: { ...graph, ...ends } }) }, { sampleShape: [4], inputs: undefined }, oneField([4])).unfed; // prettier-ignore
}

it('says which ends of a file the samples of a kit cannot feed or read, and their types', () => {
  expect(unfed('float32', 'float32')).toBeUndefined();
  expect(unfed('int64', 'float32')).toBeUndefined();
  expect(unfed('uint8', 'float32')).toBe('its input x is uint8');
  expect(unfed('float32', 'int8')).toBe('its output y is int8');
  expect(unfed('uint8', 'int8')).toBe('its input x is uint8, its output y is int8');
});
