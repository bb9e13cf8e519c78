import { madeUp } from '../../../src/ship/convert/made-up.ts';

it('inputs are made up at two sizes of batch, and refused where no memory holds them', () => {
  const ofSide = (side: number) => madeUp(new Map([['x', { dtype: 'float32', shape: ['batch', side, side] }]]));
  expect(ofSide(2).map(({ x }) => x!.shape)).toEqual([
    [1, 2, 2],
    [3, 2, 2],
  ]);
  expect(() => ofSide(1e7)).toThrow(
    /^made-up inputs x \[1, 10000000, 10000000\] take about 400000\.0 GB of memory, and there are \S+ [MG]B$/,
  );
});
