import { bytesFromJson, typedView } from '../../../src/serve/v2/json-tensor.ts';

const WHOLE = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-2147483648, 2147483647],
  int16: [-32768, 32767],
  int8: [-128, 127],
  uint8: [0, 255],
} as const;

it.each(Object.keys(WHOLE) as (keyof typeof WHOLE)[])(
  '%s holds its range, and nothing is wrapped round or cut',
  (dtype) => {
    const [least, most] = WHOLE[dtype];
    const bytes = bytesFromJson('x', dtype, [2], [least, most]);
    expect(Array.from(typedView(dtype, [2], bytes) as ArrayLike<number | bigint>, Number)).toEqual([least, most]);
    for (const value of [least - 1, most + 1, 0.5, true, '1', null])
      expect(() => bytesFromJson('x', dtype, [1], [value])).toThrow(
        `input x: value 0 is no ${dtype.toUpperCase()}, received`,
      );
  },
);

it('float32 and bool take what they can hold', () => {
  expect(typedView('float32', [2], bytesFromJson('x', 'float32', [2], [-1.5, 3.4028234663852886e38]))).toEqual(
    Float32Array.of(-1.5, 3.4028234663852886e38),
  );
  for (const value of [3.5e38, -3.5e38, '1', null])
    expect(() => bytesFromJson('x', 'float32', [1], [value])).toThrow('value 0 is no FP32');
  expect([...bytesFromJson('x', 'bool', [4], [true, false, 1, 0])]).toEqual([1, 0, 1, 0]);
  expect(() => bytesFromJson('x', 'bool', [1], [2])).toThrow('value 0 is no BOOL');
});

it('data comes flat or nested as its shape says, and not otherwise', () => {
  const made = (data: unknown): number[] => [
    ...(typedView('int8', [2, 2], bytesFromJson('x', 'int8', [2, 2], data)) as Int8Array),
  ];
  expect([made([1, 2, 3, 4]), made([[1, 2], [3, 4]])]).toEqual([[1, 2, 3, 4], [1, 2, 3, 4]]); // prettier-ignore
  for (const data of [[1, 2, 3], [[1, 2, 3, 4]], [[1, 2], [3]], [[1, 2], 3, 4], 'x', undefined])
    expect(() => made(data)).toThrow('input x: expected data of 4 values, flat or nested as its shape [2, 2]');
});
