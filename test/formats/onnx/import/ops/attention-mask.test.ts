import { importOnnx } from '../../../../../src/formats/onnx/import.ts';
import type { Attrs } from '../../../../support/onnx-steps.ts';
import { modelOf } from '../../../../support/onnx-steps.ts';

it.each([
  ['one place before', { is_causal: 1, left_window_size: 1 }, [1, 0, 0, 1, 1, 0, 0, 1, 1]],
  ['one place behind', { left_window_size: 0, right_window_size: 1 }, [1, 1, 0, 0, 1, 1, 0, 0, 1]],
  ['any place before', { right_window_size: 0 }, [1, 0, 0, 1, 1, 0, 1, 1, 1]],
] as [string, Attrs, number[]][])('an attention within a window of %s', (_, attrs, allowed) => {
  const { constants } = importOnnx(modelOf([2, 2, 3, 4], {}, [['Attention', ['x', 'x', 'x'], attrs]], 24), 'm.onnx');
  const masks = [...constants.values()].filter(({ type }) => type.dtype === 'bool');
  expect(masks.map(({ type, data }) => [type.shape, Array.from(data as Uint8Array)])).toEqual([[[3, 3], allowed]]);
});
