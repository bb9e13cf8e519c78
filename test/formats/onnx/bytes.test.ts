import { importOnnx } from '../../../src/formats/onnx/import.ts';
import { tensor } from '../../../src/formats/onnx/model.ts';
import { expectSame, list, modelOf } from '../../support/onnx-steps.ts';

describe('weights that are stored in 8 bits, with their scales beside them', () => {
  const stored = { w: tensor('', 'int8', [2, 3], Int8Array.of(-128, 3, 0, 127, -5, 60)), s: list(0.25, 0.5, 2) };
  const model = modelOf(['N', 2], stored, [
    ['Cast', ['w'], { to: 1 }],
    ['Mul', ['y0', 's']],
    ['MatMul', ['x', 'y1']],
  ]);

  it('are read as the numbers that they stand for', async () => {
    await expectSame(model, [4, 2]);
  });

  it('are not trained', () => {
    expect(() => importOnnx(model, 'm.onnx', { isTrained: true })).toThrow('it reads w, which is stored as int8');
  });

  it('are refused where integers are computed with', () => {
    const sum = modelOf(['N', 2], { ...stored, u: stored.w }, [
      ['Add', ['w', 'u']],
      ['Cast', ['y0'], { to: 1 }],
      ['MatMul', ['x', 'y1']],
    ]);
    expect(() => importOnnx(sum, 'm.onnx')).toThrow('which is stored as int8');
  });
});
