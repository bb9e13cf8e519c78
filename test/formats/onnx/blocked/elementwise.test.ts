import { Case, describeBlocked } from './harness.ts';

const UNARY = ['Relu', 'Relu6', 'Neg', 'Square', 'Sigmoid', 'Tanh', 'Elu', 'Exp', 'Identity', 'Swish', 'Cos'];
const BINARY = ['Add', 'Sub', 'Multiply', 'Maximum', 'SquaredDifference', 'ReluGrad', 'Relu6Grad', 'EluGrad'];
/** What is broadcast against [2, 3, 4, depth]. */
const OTHERS = (depth: number): number[][] => [
  [],
  [1],
  [depth],
  [1, 1, 1, depth],
  [2, 1, 1, depth],
  [2, 3, 4, 1],
  [3, 4, 1],
];

describeBlocked('elementwise ops in blocks', () => {
  describe.each([16, 24, 48])('%d channels', (depth) => {
    const shape = [2, 3, 4, depth];

    it.each(UNARY)('%s', (op) => {
      const t = new Case();
      t.expectSame([t.op(op, [t.activation(shape)])]);
    });

    it('FakeQuant and its gradient', () => {
      const t = new Case();
      const [x, dy] = [t.activation(shape), t.activation(shape)];
      const [scale, zeroPoint] = [t.input([1], 0.004, 0.005), t.input([1], -1, 1)];
      const [y, dx] = [t.op('FakeQuant', [x, scale, zeroPoint]), t.op('FakeQuantGrad', [dy, x, scale, zeroPoint])];
      t.expectSame([y, dx], { plainOps: ['Where'] });
    });

    it.each(['Max', 'Min'])('%s of all elements', (op) => {
      const t = new Case();
      t.expectSame([t.op(op, [t.activation(shape)], { axes: [0, 1, 2, 3], keepDims: false })]);
    });

    it.each(BINARY)('%s of equal shapes', (op) => {
      const t = new Case();
      // The second one is plain: it is reordered.
      t.expectSame(
        [t.op(op, [t.activation(shape), t.activation(shape)]), t.op(op, [t.activation(shape), t.input(shape)])],
        {
          plainOps: ['Where'],
        },
      );
    });

    it('the gradient of ReLU6 is exact at its limits, and 0 beyond them', () => {
      const t = new Case();
      const limits = [-1e30, -9, -1, -1.2e-38, 0, 1.2e-38, 1e-30, 1e-9, 1, 5.9999995, 6, 6.0000005, 9, 1e30];
      const y = t.op('Identity', [t.input(shape)]);
      t.feeds['x0'] = Float32Array.from({ length: t.feeds['x0']!.length }, (_, i) => limits[i % limits.length]!);
      t.expectSame([t.op('Relu6Grad', [t.activation(shape), y])], { plainOps: ['Where'], tolerance: 1e-6 });
    });

    it.each(OTHERS(depth))('broadcasts %j', (...other) => {
      const t = new Case();
      const results = ['Add', 'Multiply', 'Sub'].flatMap((op) => [
        t.op(op, [t.activation(shape), t.input(other)]),
        t.op(op, [t.input(other), t.activation(shape)]),
      ]);
      t.expectSame(results);
    });

    it('channels that fill up a block do not reach what follows', () => {
      const t = new Case();
      const x = t.op('Exp', [t.op('Add', [t.activation(shape), t.input([])])]);
      const sum = t.op('Sum', [x], { axes: [0, 1, 2], keepDims: false });
      const conv = t.op('Conv2D', [x, t.input([1, 1, depth, 16])], {
        strides: [1, 1],
        dilations: [1, 1],
        pads: [0, 0, 0, 0],
      });
      t.expectSame([sum, conv, t.op('RealDiv', [t.activation(shape), t.input(shape, 1, 2)])], { tolerance: 1e-4 });
    });
  });

  it('prelu with slopes per channel, and a choice between two', () => {
    const t = new Case();
    const x = t.activation([2, 3, 4, 32]);
    const prelu = t.op('Prelu', [x, t.input([32])]);
    const greater = t.op('Greater', [x, t.activation([2, 3, 4, 32])]);
    t.expectSame([prelu, t.op('Select', [greater, x, prelu])], { plainOps: ['Where'] });
  });
});

describeBlocked('shapes in blocks', () => {
  it.each([
    [16, 32],
    [24, 16],
  ])('concatenation, split and slices of channels, %d and %d', (one, other) => {
    const t = new Case();
    const [a, b] = [t.activation([2, 3, 4, one]), t.activation([2, 3, 4, other])];
    const both = t.op('Concat', [a, b], { axis: 3 });
    const samples = t.op('Concat', [a, t.activation([1, 3, 4, one])], { axis: 0 });
    const first = t.op('Slice', [both], { begin: [0, 0, 0, 16], size: [-1, 3, 4, 16] });
    const pieces = t.b.node('Split', [both], { axis: 3, sizes: [one, other] });
    t.expectSame([both, samples, t.op('Relu', [first]), ...pieces]);
  });

  it.each([16, 24])('zeros around a picture, a part of it, and the picture as a vector, %d channels', (depth) => {
    const t = new Case();
    const x = t.activation([2, 5, 6, depth]);
    const pad = t.op('Pad', [x], { paddings: [0, 0, 1, 2, 0, 3, 0, 0], constantValue: 0 });
    const ones = t.op('Pad', [x], { paddings: [0, 0, 1, 2, 0, 3, 0, 0], constantValue: 1 });
    const slice = t.op('Slice', [x], { begin: [0, 1, 2, 0], size: [-1, 3, 2, -1] });
    const flat = t.op('Reshape', [x], { shape: [2, 30 * depth] });
    const turned = t.op('Transpose', [x], { perm: [0, 3, 1, 2] });
    t.expectSame([pad, ones, t.op('Relu', [slice]), flat, turned]);
  });
});
