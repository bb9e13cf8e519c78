import { Case, describeBlocked } from './harness.ts';

function pool(size: number, stride: number, pads = [0, 0, 0, 0]) {
  return { filterSize: [size, size], strides: [stride, stride], dilations: [1, 1], pads };
}

describeBlocked('pooling in blocks', () => {
  it.each([
    [8, 6, 16],
    [7, 6, 24],
    [6, 9, 32],
    [5, 5, 8],
  ])('2×2 maxima and their gradient, %d×%d, %d channels', (height, width, depth) => {
    const t = new Case();
    const x = t.activation([3, height, width, depth]);
    const y = t.op('MaxPool', [x], pool(2, 2));
    const dy = t.activation([3, height >> 1, width >> 1, depth]);
    t.expectSame([y, t.op('MaxPoolGrad', [dy, x, y], pool(2, 2))]);
  });

  it.each([16, 24])('of equal maxima the first takes the gradient, %d channels', (depth) => {
    const t = new Case();
    // Rounded: ties in most windows. As activations they pass a convolution with ones and zeros.
    const rounded = t.op('Round', [t.activation([4, 8, 8, depth])]);
    const y = t.op('MaxPool', [rounded], pool(2, 2));
    const dy = t.activation([4, 4, 4, depth]);
    t.expectSame([t.op('MaxPoolGrad', [dy, rounded, y], pool(2, 2))]);
  });

  it.each([
    [16, 8, 8],
    [24, 7, 9],
  ])('relu before the pooling: its gradient and that of a bias, %d channels, %d×%d', (depth, height, width) => {
    const t = new Case();
    const x = t.op('Relu', [t.op('Add', [t.activation([3, height, width, depth]), t.input([depth], -0.5, 0)])]);
    const y = t.op('MaxPool', [x], pool(2, 2));
    const dy = t.activation([3, height >> 1, width >> 1, depth]);
    const gradient = t.op('ReluGrad', [t.op('MaxPoolGrad', [dy, x, y], pool(2, 2)), x]);
    const bias = t.op('Sum', [gradient], { axes: [0, 1, 2], keepDims: false });
    t.expectSame([gradient, bias], { tolerance: 1e-4 });
  });

  it.each([
    [3, 2, [0, 0, 0, 0]],
    [3, 2, [1, 1, 1, 1]],
    [2, 1, [0, 1, 0, 1]],
    [3, 3, [0, 0, 0, 0]],
  ])('maxima of windows %d apart by %d, pads %j; the gradient is as without blocks', (size, stride, pads) => {
    const t = new Case();
    const x = t.activation([2, 9, 9, 24]);
    const y = t.op('MaxPool', [x], pool(size, stride, pads));
    t.expectSame([y]);
    const u = new Case();
    const x2 = u.activation([2, 9, 9, 24]);
    const y2 = u.op('MaxPool', [x2], pool(size, stride, pads));
    const out = Math.floor((9 + pads[0]! + pads[1]! - size) / stride) + 1;
    const dy = u.activation([2, out, out, 24]);
    const gradient = u.op('MaxPoolGrad', [dy, x2, y2], pool(size, stride, pads));
    u.expectSame([gradient], { plainOps: ['MaxPool', 'ScatterElements', 'Where', 'Conv', 'ConvTranspose'] });
  });

  it.each([
    [2, 2, [0, 0, 0, 0]],
    [3, 2, [1, 1, 1, 1]],
    [4, 4, [0, 0, 0, 0]],
  ])('averages of %d by %d, pads %j', (size, stride, pads) => {
    const t = new Case();
    const x = t.activation([2, 8, 8, 24]);
    const attrs = pool(size, stride, pads);
    const out = Math.floor((8 + pads[0]! + pads[1]! - size) / stride) + 1;
    const dy = t.activation([2, out, out, 24]);
    const dx = t.op('AvgPoolGrad', [dy], { ...attrs, inputShape: [2, 8, 8, 24] });
    const plainOps = size === stride ? [] : ['ConvTranspose', 'Conv'];
    t.expectSame([t.op('AvgPool', [x], attrs), dx], { plainOps });
  });

  it.each([16, 24])('means and sums over pixels and samples, %d channels', (depth) => {
    const t = new Case();
    const x = t.activation([3, 4, 5, depth]);
    const results = ['Sum', 'Mean'].flatMap((op) =>
      [
        [1, 2],
        [0, 1, 2],
      ].flatMap((axes) => [true, false].map((keepDims) => t.op(op, [x], { axes, keepDims }))),
    );
    t.expectSame(results);
  });

  it.each([16, 24])('the gradient of a mean over pixels, %d channels', (depth) => {
    const t = new Case();
    const dy = t.op('BroadcastTo', [t.input([3, 1, 1, depth])], { shape: [3, 4, 5, depth] });
    t.expectSame([t.op('ReluGrad', [dy, t.activation([3, 4, 5, depth])])]);
  });
});
