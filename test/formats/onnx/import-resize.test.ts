import { importOnnx } from '../../../src/formats/onnx/import.ts';
import { high, IMAGE, resizeCases, resized, stored } from '../../support/onnx-cases/resize.ts';
import type { Step } from '../../support/onnx-steps.ts';
import { expectSame, ints, list, modelOf } from '../../support/onnx-steps.ts';

describe('sizes, edges and statistics of a file', () => {
  it.each(Object.entries(resizeCases))('are what ONNX Runtime gives: %s', async (_, [dims, fed, steps, opset]) => {
    await expectSame(modelOf(dims, stored, steps, opset), fed);
  });

  it('round as ONNX Runtime does where a pixel lies right between two', async () => {
    const attrs = { mode: 'nearest', coordinate_transformation_mode: 'half_pixel_symmetric', nearest_mode: 'floor' };
    const steps: Step[] = [['Resize', ['x', '', 'scales'], attrs]];
    await expectSame(modelOf(['n', 2, 5, 6], { scales: list(1, 1, 0.7, 0.7) }, steps, 19), [2, 2, 5, 6]);
  });

  it('stay where no size changes, as ONNX Runtime has it', async () => {
    const steps: Step[] = [['Resize', ['x', '', 'scales'], { mode: 'linear', coordinate_transformation_mode: 'asymmetric' }]]; // prettier-ignore
    await expectSame(modelOf(['n', 1, 4, 3], { scales: list(1, 1, 1.2, 1.3) }, steps, 19), [1, 1, 4, 3]);
  });

  it('keep the resize that TFLite has', () => {
    const ops = (steps: readonly Step[]): string[] =>
      importOnnx(modelOf(IMAGE, stored, steps), 'm').nodes.map(({ op }) => op);
    expect(ops(resizeCases['nearest as PyTorch writes it']![2])).toContain('ResizeNearestNeighbor');
    const sized = resized({ mode: 'linear', axes: [2, 3] }, ['x', '', '', 'small']);
    expect(ops(sized)).toContain('ResizeBilinear');
    expect(ops(high)).toContain('GatherV2');
  });

  it.each([
    [
      'a region',
      resized({ mode: 'linear', coordinate_transformation_mode: 'tf_crop_and_resize' }),
      /is tf_crop_and_resize/,
    ],
    [
      'corners of no whole size',
      resized({ mode: 'linear', coordinate_transformation_mode: 'align_corners' }),
      /its scales give no whole sizes, of which runtimes align the corners differently/,
    ],
    ['smoothing', resized({ mode: 'linear', antialias: 1 }), /antialias is 1, expected 0/],
    ['another mode', resized({ mode: 'area' }), /its attribute mode is area/],
    ['an even neighbourhood', [['LRN', ['x'], { size: 2 }]], /\(LRN\): its attribute size is 2, expected an odd one/],
    ['cutting it all', [['Pad', ['x', 'all']]], /it cuts away more than there is/],
  ] as [string, Step[], RegExp][])('are refused by node and operator: %s', (_, steps, message) => {
    const held = { ...stored, all: ints(0, 0, -9, 0, 0, 0, 0, 0) };
    expect(() => importOnnx(modelOf(IMAGE, held, steps), 'm.onnx')).toThrow(message);
  });
});
