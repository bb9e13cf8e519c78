import { UserError } from '../../../src/base/errors.ts';
import { importOnnx } from '../../../src/formats/onnx/import.ts';
import type { Model, OnnxAttr, OnnxDim } from '../../../src/formats/onnx/model.ts';
import { decodeModel, encodeModel } from '../../../src/formats/onnx/protobuf.ts';
import type { InputShapes } from '../../../src/formats/onnx/sizes.ts';
import { withInputShapes } from '../../../src/formats/onnx/sizes.ts';
import { expectSame, floats, integer, modelOf } from '../../support/onnx-steps.ts';

const OPEN: readonly OnnxDim[] = ['N', 3, 'H', 'W'];
const model = (dims = OPEN): Model =>
  modelOf(dims, {}, [
    ['MaxPool', ['x'], { kernel_shape: [2, 2] }],
    ['Flatten', ['y0']],
  ]);
const given = (...shape: (number | 'batch')[]): InputShapes => new Map([['x', shape]]);

describe('sizes that a file leaves open', () => {
  it('can be said, and the file is then read and gives what ONNX Runtime makes of it', async () => {
    expect(() => importOnnx(model(), 'm.onnx')).toThrow(/input x: expected a known shape/);
    expect(() => importOnnx(model(), 'm.onnx')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('--shape x=1,3,SIZE,SIZE') as string }) as Error,
    );
    await expectSame(withInputShapes(model(), given(2, 3, 6, 8), 'm.onnx'), [2, 3, 6, 8]);
  });

  it("are negative numbers in PaddlePaddle's files, or question marks, which are no name for all of them", () => {
    const read = decodeModel(encodeModel(model([-1, 3, '?', '?'])), 'm.onnx');
    expect(read.graph.inputs[0]!.dims).toEqual([null, 3, null, null]);
    expect(() => importOnnx(read, 'm.onnx')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('--shape x=1,3,SIZE,SIZE') as string }) as Error,
    );
  });

  it('are said for all but the batch, or for it too', () => {
    const read = (shapes: InputShapes): unknown =>
      importOnnx(withInputShapes(model(), shapes, 'm.onnx'), 'm').inputs.get('x');
    expect(read(given('batch', 3, 6, 8))).toEqual({ dtype: 'float32', shape: ['batch', 3, 6, 8] });
    expect(read(given(4, 3, 6, 8))).toEqual({ dtype: 'float32', shape: [4, 3, 6, 8] });
  });

  it('are the same wherever they have one name, in the outputs too', () => {
    const { graph } = model();
    const other = { name: 'z', dtype: 'float32', dims: ['N', 'H'] } as const;
    const outputs = [{ name: 'y', dtype: 'float32', dims: ['N', 'F'] } as const];
    const two: Model = { ...model(), graph: { ...graph, inputs: [...graph.inputs, other], outputs } };
    const made = withInputShapes(two, given(2, 3, 6, 8), 'm.onnx').graph;
    expect(made.inputs[1]!.dims).toEqual([2, 6]);
    expect(made.outputs[0]!.dims).toEqual([2, 'F']);
  });

  it.each([
    [new Map([['y', [1]]]), /m\.onnx: a shape is given for y, which is not an input of the model/],
    [given(1, 3, 6), /m\.onnx: input x is \[N, 3, H, W\], received a shape of 3 sizes/],
    [given(1, 4, 6, 8), /m\.onnx: input x is \[N, 3, H, W\], received 4 for its axis 1/],
  ] as [InputShapes, RegExp][])('are refused where they do not fit: %s', (shapes, message) => {
    const attempt = (): unknown => withInputShapes(model(), shapes, 'm.onnx');
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(UserError);
    expect(() => withInputShapes(model([2, 3, 'H', 'W']), given('batch', 3, 6, 8), 'm.onnx')).toThrow(
      /received batch for its axis 0/,
    );
    expect(() => withInputShapes(model(['S', 3, 'S', 'S']), given(1, 3, 6, 8), 'm.onnx')).toThrow(
      /received 1 and 6 for S/,
    );
  });
});

describe('an input of one number that always has the same value', () => {
  const branch = (op: string): OnnxAttr => ({
    type: 'graph',
    value: {
      ...{ name: 'g', initializers: [], inputs: [], valueInfos: [], outputs: [{ name: 'z', dtype: 'float32' }] },
      nodes: [{ op, domain: '', name: 'inside', inputs: ['x'], outputs: ['z'], attrs: new Map() }],
    },
  });
  const { graph, ...rest } = modelOf(['N', 3], { rate: integer(16000) }, [
    ['Equal', ['sr', 'rate']],
    ['If', ['y0'], { then_branch: branch('Relu'), else_branch: branch('Neg') }],
  ]);
  const chosen: Model = {
    ...rest,
    graph: { ...graph, inputs: [...graph.inputs, { name: 'sr', dtype: 'int64', dims: [] }] },
  };

  it.each([16000, 8000])(
    'is stored with it, and chooses the graph that it chooses in ONNX Runtime: %d',
    async (value) => {
      expect(() => importOnnx(chosen, 'm.onnx')).toThrow(
        expect.objectContaining({ hint: expect.stringContaining('--fix sr=VALUE') as string }) as Error,
      );
      const fixed = withInputShapes(chosen, new Map([['sr', { value }]]), 'm.onnx');
      expect(importOnnx(fixed, 'm').nodes.map(({ op }) => op)).toEqual([value === 16000 ? 'Relu' : 'Neg']);
      await expectSame(fixed, [2, 3]);
    },
  );

  it.each([
    ['sr', 0.5, /m\.onnx: input sr is int64 \[\], received the value 0\.5 for it/],
    ['x', 1, /m\.onnx: input x is float32 \[N, 3\], received the value 1 for it/],
    ['rates', 1, /m\.onnx: a value is given for rates, which is not an input of the model/],
  ])('is refused where the value does not fit: %s', (name, value, message) => {
    expect(() => withInputShapes(chosen, new Map([[name, { value }]]), 'm.onnx')).toThrow(message);
  });
});

it('an input of lengths takes one value for all samples, whose number another input says', async () => {
  const { graph, ...rest } = modelOf([4, 'N', 3], { w: floats(1, 6, 3), r: floats(1, 6, 2) }, [
    ['GRU', ['x', 'w', 'r', '', 'lens'], { hidden_size: 2, linear_before_reset: 1 }, ['', 'y']],
  ]);
  const lens = { name: 'lens', dtype: 'int32', dims: ['N'] } as const;
  const gru: Model = { ...rest, graph: { ...graph, inputs: [...graph.inputs, lens] } };
  const value = { value: 4 };
  await expectSame(withInputShapes(gru, new Map([...given(4, 2, 3), ['lens', value]]), 'm.onnx'), [4, 2, 3]);
  expect(() => withInputShapes(gru, new Map([['lens', value]]), 'm.onnx')).toThrow(
    expect.objectContaining({
      message: 'm.onnx: input lens is int32 [N], received the value 4 for it',
      hint: expect.stringMatching(
        /^Give .* a size to each open axis that other inputs share, the batch of lengths too: --shape\.$/,
      ) as string,
    }) as Error,
  );
});
