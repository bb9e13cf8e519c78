import { BLOCK, Case, describeBlocked, window } from './harness.ts';

/** kernel, stride, pads (top, bottom, left, right), height, width */
const windows: readonly (readonly [number, number, readonly [number, number, number, number], number, number])[] = [
  [3, 1, [1, 1, 1, 1], 6, 5],
  [3, 1, [0, 0, 0, 0], 5, 7],
  [3, 2, [1, 1, 1, 1], 8, 8],
  [3, 2, [0, 1, 0, 1], 8, 6],
  [3, 2, [1, 1, 1, 1], 7, 5],
  [3, 2, [0, 0, 0, 0], 8, 7],
  [1, 1, [0, 0, 0, 0], 4, 5],
  [1, 2, [0, 0, 0, 0], 6, 8],
  [1, 2, [0, 0, 0, 0], 7, 5],
  [2, 2, [0, 0, 0, 0], 6, 6],
  [5, 1, [2, 2, 2, 2], 6, 6],
  [5, 3, [1, 2, 2, 1], 10, 11],
  [7, 2, [3, 3, 3, 3], 12, 12],
  [3, 1, [2, 1, 3, 0], 4, 4],
];
/** in and out */
const channels: readonly (readonly [number, number])[] = [
  [16, 32],
  [32, 16],
  [8, 24],
  [24, 48],
  [12, 20],
  [48, 8],
];
const cases = windows.flatMap((of, i) =>
  channels.filter((_, j) => i < 3 || (i + j) % 3 === 0).map((depth) => [...of, ...depth, 16] as const),
);
/** Batches that are no whole blocks, and several blocks by group and by filter. */
const batches = [
  ...[1, 3, 12, 20, 48].map((batch) => [3, 1, [1, 1, 1, 1] as const, 5, 4, 16, 32, batch] as const),
  [3, 1, [1, 1, 1, 1] as const, 3, 3, 32, 48, 20] as const,
  [3, 2, [0, 0, 0, 0] as const, 8, 7, 24, 48, 40] as const,
];
/** Many channels and few pixels: the gradient by filter is one product of the pixels of all samples. */
const few = [
  [1, 1, [0, 0, 0, 0] as const, 3, 2, 48, 32, 5] as const,
  [1, 2, [0, 0, 0, 0] as const, 3, 5, 24, 48, 20] as const,
  [1, 1, [0, 0, 0, 0] as const, 1, 1, 20, 40, 3] as const,
  [1, 1, [0, 1, 0, 1] as const, 3, 2, 48, 32, 5] as const,
  [1, 2, [0, 1, 0, 2] as const, 4, 6, 24, 48, 20] as const,
  [1, 2, [0, 1, 0, 1] as const, 12, 12, 16, 16, 4] as const,
];

const small = (height: number, kernel: number, stride: number, before: number, after: number): number =>
  Math.floor((height + before + after - kernel) / stride) + 1;

describeBlocked('convolutions in blocks', () => {
  it.each([...cases, ...batches, ...few])(
    'kernel %d, stride %d, pads %j, %d×%d, %d to %d channels, batch %d',
    (kernel, stride, pads, height, width, from, to, batch) => {
      const t = new Case();
      const filter = t.input([kernel, kernel, from, to]);
      const x = t.activation([batch, height, width, from]);
      const y = t.op('Conv2D', [x, filter], window(stride, pads));
      const size = [small(height, kernel, stride, pads[0], pads[1]), small(width, kernel, stride, pads[2], pads[3])];
      const dy = t.activation([batch, ...size, to]);
      const attrs = window(stride, pads);
      const dx = t.op('Conv2DBackpropInput', [dy, filter], { ...attrs, inputShape: [batch, height, width, from] });
      const dw = t.op('Conv2DBackpropFilter', [x, dy], { ...attrs, filterShape: [kernel, kernel, from, to] });
      t.expectSame([y, dx, dw], { tolerance: 1e-4 });
    },
  );

  it.each([
    [3, 1, 1],
    [3, 2, 1],
    [3, 1, 3],
    [5, 1, 3],
    [7, 2, 3],
    [1, 1, 3],
    [1, 2, 1],
    [3, 1, 8],
    [3, 2, 3, 16],
    [3, 2, 3, 16, 12],
    [3, 1, 1, 8],
  ])('of an image: kernel %d, stride %d, %d channels', (kernel, stride, depth, height = 9, filters = 24) => {
    const t = new Case();
    const before = kernel >> 1;
    const attrs = window(stride, [before, before, before, before]);
    const x = t.input([4, height, 8, depth]);
    const y = t.op('Conv2D', [x, t.input([kernel, kernel, depth, filters])], attrs);
    const size = [small(height, kernel, stride, before, before), small(8, kernel, stride, before, before)];
    const dy = t.activation([4, ...size, filters]);
    const dw = t.op('Conv2DBackpropFilter', [x, dy], { ...attrs, filterShape: [kernel, kernel, depth, filters] });
    t.expectSame([y, dw], { tolerance: 1e-4 });
  });

  it('with a dilation forward; its gradients are left to the plain lowering', () => {
    const t = new Case();
    const filter = t.input([3, 3, 16, 16]);
    const x = t.activation([4, 8, 8, 16]);
    const attrs = window(1, [2, 2, 2, 2], 2);
    const dx = t.op('Conv2DBackpropInput', [t.activation([4, 8, 8, 16]), filter], {
      ...attrs,
      inputShape: [4, 8, 8, 16],
    });
    const options = { tolerance: 1e-4, plainOps: ['ConvTranspose', 'Conv'] };
    t.expectSame([t.op('Conv2D', [x, filter], attrs), dx], options);
  });

  it('transposed: a size of dy that no convolution gives is left to the plain lowering', () => {
    const t = new Case();
    const filter = t.input([2, 2, 16, 16]);
    const attrs = { ...window(2), inputShape: [2, 6, 6, 16] };
    const dx = t.op('Conv2DBackpropInput', [t.activation([2, 4, 4, 16]), filter], attrs);
    t.expectSame([dx], { tolerance: 1e-4, plainOps: ['ConvTranspose'] });
  });

  it.each([16, 24])('bias, batch norm, sum and relu on the way, %d channels', (depth) => {
    const t = new Case();
    const vector = (low: number): string => t.input([depth], low, 1);
    const shape = [2, 5, 5, depth];
    const conv = (): string =>
      t.op('Conv2D', [t.activation(shape), t.input([3, 3, depth, depth])], window(1, [1, 1, 1, 1]));
    const biased = t.op('Relu', [t.op('Add', [conv(), vector(-1)])]);
    const skip = t.activation(shape);
    const summed = t.op('Relu6', [t.op('Add', [skip, t.op('Add', [vector(-1), conv()])])]);
    const normed = t.op('FusedBatchNorm', [conv(), vector(-1), vector(0.5), vector(-1), vector(0.5)], {
      epsilon: 1e-3,
    });
    const bare = t.op('FusedBatchNorm', [t.op('Neg', [conv()]), vector(-1), vector(0.5), '', ''], { epsilon: 1e-3 });
    t.expectSame([biased, summed, t.op('Relu', [normed]), bare], { tolerance: 1e-4 });
  });

  it('keeps a sum that somebody else reads too', () => {
    const t = new Case();
    const x = t.activation([2, 4, 4, BLOCK]);
    const sum = t.op('Add', [x, t.input([BLOCK])]);
    t.expectSame([t.op('Relu', [sum]), sum, t.op('Multiply', [x, x])]);
  });

  it('two gradients of one picture, strided, are added by phases', () => {
    const t = new Case();
    const inputShape = [2, 8, 8, 16];
    const gradient = (kernel: number, before: number): string =>
      t.op('Conv2DBackpropInput', [t.activation([2, 4, 4, 32]), t.input([kernel, kernel, 16, 32])], {
        ...window(2, [before, before, before, before]),
        inputShape,
      });
    t.expectSame([t.op('Add', [gradient(3, 1), gradient(1, 0)]), gradient(1, 0)], { tolerance: 1e-4 });
  });

  it('two gradients of one picture, not strided, are added on the way', () => {
    const t = new Case();
    const shape = [2, 6, 6, 16];
    const gradient = t.op('Conv2DBackpropInput', [t.activation(shape), t.input([3, 3, 16, 16])], {
      ...window(1, [1, 1, 1, 1]),
      inputShape: shape,
    });
    t.expectSame([t.op('Add', [t.activation(shape), gradient])], { tolerance: 1e-4 });
  });
});

describeBlocked('depthwise convolutions in blocks', () => {
  it.each(windows.flatMap((of) => [[...of, 32, 4] as const, [...of, 24, 3] as const]))(
    'kernel %d, stride %d, pads %j, %d×%d, %d channels, batch %d',
    (kernel, stride, pads, height, width, depth, batch) => {
      const t = new Case();
      const filter = t.input([kernel, kernel, depth, 1]);
      const x = t.activation([batch, height, width, depth]);
      const attrs = window(stride, pads);
      const y = t.op('DepthwiseConv2dNative', [x, filter], attrs);
      const size = [small(height, kernel, stride, pads[0], pads[1]), small(width, kernel, stride, pads[2], pads[3])];
      const dy = t.activation([batch, ...size, depth]);
      const inputShape = [batch, height, width, depth];
      const dx = t.op('DepthwiseConv2dNativeBackpropInput', [dy, filter], { ...attrs, inputShape });
      const filterShape = [kernel, kernel, depth, 1];
      const dw = t.op('DepthwiseConv2dNativeBackpropFilter', [x, dy], { ...attrs, filterShape });
      t.expectSame([y, dx, dw], { tolerance: 1e-4 });
    },
  );

  it('bias, batch norm and relu on the way', () => {
    const t = new Case();
    const conv = (): string =>
      t.op('DepthwiseConv2dNative', [t.activation([2, 5, 5, 24]), t.input([3, 3, 24, 1])], window(1, [1, 1, 1, 1]));
    const vector = (low: number): string => t.input([24], low, 1);
    const normed = t.op('FusedBatchNorm', [conv(), vector(-1), vector(0.5), vector(-1), vector(0.5)], {
      epsilon: 1e-3,
    });
    t.expectSame([t.op('Relu', [t.op('Add', [conv(), vector(-1)])]), t.op('Relu6', [normed])], { tolerance: 1e-4 });
  });
});
