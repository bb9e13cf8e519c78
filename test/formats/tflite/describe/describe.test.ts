import type { InputShapes } from '../../../../src/formats/onnx/sizes.ts';
import { readTflite } from '../../../../src/formats/tflite/read.ts';
import { describeTflite, sizedTensor } from '../../../../src/formats/tflite/describe/describe.ts';
import { builtinOperators } from '../../../../src/formats/tflite/schema/operators.ts';
import type { BuiltinOperator } from '../../../../src/formats/tflite/schema/operators.ts';
import { tensorType } from '../../../../src/formats/tflite/schema/tensor-types.ts';
import type { TfliteTensor } from '../../../../src/formats/tflite/types.ts';
import { writeTflite } from '../../../../src/formats/tflite/write.ts';
import { inspectTflite } from '../../../../src/tools/inspect-model.ts';

interface Given {
  readonly shape: readonly number[];
  readonly dtype?: 'float32' | 'int32';
  /** A constant of zeros, not fed. */
  readonly constant?: boolean;
}

/** A file of one operator, as other converters may write it. */
function fileOf(
  op: BuiltinOperator,
  given: readonly Given[],
  output: Given,
  options?: object,
  subgraphs = 1,
): Uint8Array {
  const buffers: { data?: Uint8Array }[] = [{}];
  const tensors: TfliteTensor[] = [...given, output].map(({ shape, dtype = 'float32', constant = false }, i) => {
    const bytes = 4 * shape.reduce((a, b) => a * b, 1);
    const buffer = constant ? buffers.push({ data: new Uint8Array(bytes) }) - 1 : 0;
    return { name: `t${i}`, shape, type: tensorType(dtype), buffer };
  });
  const all = given.map((_, i) => i);
  const number = builtinOperators.indexOf(op);
  const main = {
    tensors,
    inputs: all.filter((i) => given[i]!.constant !== true),
    outputs: [given.length],
    operators: [{ opcodeIndex: 0, inputs: all, outputs: [given.length], ...(options && { builtinOptions: options }) }],
  };
  return writeTflite({
    version: 3,
    operatorCodes: [{ deprecatedBuiltinCode: Math.min(number, 127), builtinCode: number, version: 1 }],
    subgraphs: Array.from({ length: subgraphs }, () => main),
    buffers,
  } as Parameters<typeof writeTflite>[0]);
}

describe("a layer of other people's files", () => {
  it('counts a product with its first operand transposed by the axis that is summed', () => {
    const operands = [{ shape: [2, 5, 3] }, { shape: [2, 5, 7] }];
    const file = fileOf('BATCH_MATMUL', operands, { shape: [2, 3, 7] }, { type$: 'BatchMatMulOptions', adjX: true });
    expect(describeTflite(file).macs).toBe(2 * 3 * 7 * 5);
  });

  it('computes in the type of its values, not of shapes or positions', () => {
    const upscaling = fileOf(
      'TRANSPOSE_CONV',
      [{ shape: [4], dtype: 'int32' }, { shape: [2, 3, 3, 4], constant: true }, { shape: [1, 4, 4, 4] }],
      { shape: [1, 8, 8, 2] },
    );
    expect(describeTflite(upscaling).layers).toMatchObject([{ precision: 'float32', macs: 16 * 4 * 2 * 9 }]);
    const table = [
      { shape: [20, 8], constant: true },
      { shape: [6], dtype: 'int32' as const },
    ];
    expect(describeTflite(fileOf('GATHER', table, { shape: [6, 8] })).layers[0]!.precision).toBe('float32');
  });

  it('counts convolutions in three dimensions, and the matrices of an LSTM once a step', () => {
    const conv = fileOf('CONV_3D', [{ shape: [1, 4, 4, 4, 2] }, { shape: [3, 3, 3, 2, 5], constant: true }], {
      shape: [1, 4, 4, 4, 5],
    });
    expect(describeTflite(conv).macs).toBe(64 * 5 * 27 * 2);
    const matrices = [6, 6, 6, 6, 5, 5, 5, 5].map((n) => ({ shape: [5, n], constant: true }));
    const lstm = fileOf('UNIDIRECTIONAL_SEQUENCE_LSTM', [{ shape: [1, 9, 6] }, ...matrices], { shape: [1, 9, 5] });
    expect(describeTflite(lstm)).toMatchObject({ macs: 9 * 4 * 5 * (6 + 5), uncounted: { operators: [] } });
  });

  it('is named where it multiplies and is not counted, and so are further subgraphs', async () => {
    const file = fileOf('LSTM', [{ shape: [1, 6] }], { shape: [1, 5] }, undefined, 3);
    expect(describeTflite(file)).toMatchObject({ macs: 0, uncounted: { operators: ['LSTM'], subgraphs: 2 } });
    const { text } = await inspectTflite(file, 'a.tflite');
    expect(text).toContain('0 MACs for one sample, not counting LSTM, 2 more subgraphs\n');
  });
});

describe('sizes that a file leaves open', () => {
  const filter = { shape: [3, 1, 1, 2], constant: true };
  const options = {
    type$: 'Conv2DOptions',
    padding: 0,
    strideW: 1,
    strideH: 1,
    dilationWFactor: 1,
    dilationHFactor: 1,
  };
  /** A convolution over a picture of any size, as another converter may write it: open sizes are stored as 1. */
  const open = (() => {
    const model = readTflite(
      fileOf(
        'CONV_2D',
        [{ shape: [1, 1, 1, 2] }, filter, { shape: [3], constant: true }],
        { shape: [1, 1, 1, 3] },
        options,
      ),
    );
    const [main] = model.subgraphs;
    const tensors = main!.tensors.map((tensor, i) =>
      i % 3 === 0 ? { ...tensor, shapeSignature: [1, -1, -1, i === 0 ? 2 : 3] } : tensor,
    );
    return writeTflite({ ...model, subgraphs: [{ ...main!, tensors }] });
  })();
  const inspected = async (shapes?: InputShapes) => (await inspectTflite(open, 'a.tflite', shapes)).text;

  it('are 1, as the text says, or those that are said', async () => {
    expect(await inspected()).toContain(
      '6 MACs for a call with t0 [1, 1, 1, 2]: sizes that the file leaves open are 1 here, --shape says others\n',
    );
    const text = await inspected(new Map([['t0', ['batch', 5, 4, 2]]]));
    expect(text).toContain(`${5 * 4 * 6} MACs for one sample\n`);
    expect(text).toContain('input   t0 float32[1, ?, ?, 2]\n');
    expect(text).toMatch(/CONV_2D v1 +\[1, 5, 4, 3\]/);
  });

  it.each<[string, InputShapes, RegExp]>([
    ['of another input', new Map([['x', [1]]]), /a\.tflite: --shape names x, which is not an input/],
    ['of other axes', new Map([['t0', [1, 5, 2]]]), /input t0 is \[1, \?, \?, 2\], received \[1, 5, 2\]/],
    ['that are stored', new Map([['t0', [1, 5, 4, 3]]]), /received \[1, 5, 4, 3\]/],
    ['by a value', new Map([['t0', { value: 3 }]]), /received the value 3/],
  ])('are refused where they do not fit: %s', async (_, shapes, message) => {
    await expect(inspected(shapes)).rejects.toThrow(message);
  });

  it('of inner tensors are those of a run, also where no input has one', async () => {
    const model = readTflite(open);
    const [main] = model.subgraphs;
    const tensors = main!.tensors.with(0, sizedTensor(main!.tensors[0]!, [1, 7, 3, 2]));
    const fixed = writeTflite({ ...model, subgraphs: [{ ...main!, tensors }] });
    expect((await inspectTflite(fixed, 'a.tflite')).text).toContain(`${7 * 3 * 6} MACs for one sample\n`);
  });

  it('are not known of a file that does not run', async () => {
    const model = readTflite(open);
    const broken = writeTflite({
      ...model,
      operatorCodes: [{ deprecatedBuiltinCode: 32, builtinCode: 32, customCode: 'Nothing', version: 1 }],
    });
    const { text, value } = await inspectTflite(broken, 'a.tflite');
    expect(text).toContain('an unknown number of MACs');
    expect(text).toMatch(
      /MACs are not known: the file leaves sizes open, and a copy of it that tells them does not run: LiteRT could not (?!.*third_party)/,
    );
    expect(value).toMatchObject({ macs: null });
  });
});
