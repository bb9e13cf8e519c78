import { Case, describeBlocked, window } from './harness.ts';

function batchNorm(t: Case, shape: readonly number[], shift = 0): string[] {
  const depth = shape[3]!;
  const x = shift === 0 ? t.activation(shape) : t.op('Add', [t.activation(shape), t.input([depth], shift, shift + 1)]);
  const scale = t.input([depth], 0.5, 1.5);
  const outputs = t.b.node('BatchNormTrain', [x, scale, t.input([depth])], { epsilon: 1e-5 });
  const [, mean, , inverse] = outputs;
  const gradients = t.b.node('BatchNormTrainGrad', [t.activation(shape), x, scale, mean!, inverse!]);
  return [...outputs, ...gradients];
}

describeBlocked('batch norm in blocks', () => {
  it.each([
    [16, 4, 5, 16],
    [3, 7, 7, 24],
    [2, 5, 3, 8],
    [5, 1, 1, 48],
  ])('%d×%d×%d×%d: output, statistics and gradients', (...shape) => {
    const t = new Case();
    t.expectSame(batchNorm(t, shape), { tolerance: 2e-4, plainOps: [] });
  });

  it('keeps its digits where the mean is a thousand deviations', () => {
    const t = new Case();
    t.expectSame(batchNorm(t, [8, 6, 6, 16], 1000), { tolerance: 2e-3 });
  });

  it.each([
    [8, 46, 46, 16, 0],
    [4, 54, 54, 24, 0],
    [1, 130, 128, 16, 0],
    [8, 46, 46, 16, 1000],
    [1100, 4, 4, 16, 1000],
  ])('%d×%d×%d×%d, of a convolution less its mean over some rows; samples from %d', (...of) => {
    const [n, h, w, depth, from] = of;
    const t = new Case();
    const filter = t.input([3, 3, 4, depth]);
    const x = t.op('Conv2D', [t.input([n, h, w, 4], from, from + 1), filter], window(1, [1, 1, 1, 1]));
    const outputs = t.b.node('BatchNormTrain', [x, t.input([depth], 0.5, 1.5), t.input([depth])], { epsilon: 1e-5 });
    t.expectSame(outputs, { tolerance: 2e-3, needed: 'Relu' });
  });

  it.each([
    [16, 'Conv2D'],
    [24, 'Conv2D'],
    [24, 'DepthwiseConv2dNative'],
  ])('its gradient goes through a convolution before it: %d channels, %s', (depth, op) => {
    const t = new Case();
    const shape = [4, 121, 34, depth];
    const attrs = window(1, [1, 1, 1, 1]);
    const filter = t.input(op === 'Conv2D' ? [3, 3, depth, depth] : [3, 3, depth, 1]);
    const input = t.activation(shape);
    const x = t.op('Add', [t.op(op, [input, filter], attrs), t.input([depth], 10, 20)]);
    const scale = t.input([depth], 0.5, 1.5);
    const [y, mean, , inverse] = t.b.node('BatchNormTrain', [x, scale, t.input([depth])], { epsilon: 1e-5 });
    const [dx, ...rest] = t.b.node('BatchNormTrainGrad', [t.activation(shape), x, scale, mean!, inverse!]);
    const dInput = t.op(`${op}BackpropInput`, [dx!, filter], { ...attrs, inputShape: shape });
    const dFilter = t.op(`${op}BackpropFilter`, [input, dx!], { ...attrs, filterShape: t.b.typeOf(filter).shape });
    t.expectSame([y!, mean!, ...rest, dInput, dFilter], { tolerance: 5e-4, needed: 'Relu' });
  });

  it('a residual that is read later too', () => {
    const t = new Case();
    const [skip, x] = [t.activation([4, 5, 5, 24]), t.activation([4, 5, 5, 24])];
    const [y] = t.b.node('BatchNormTrain', [x, t.input([24], 0.5, 1), t.input([24])], { epsilon: 1e-3 });
    const sum = t.op('Relu', [t.op('Add', [skip, y!])]);
    t.expectSame([sum, t.op('Multiply', [skip, skip])], { tolerance: 1e-4 });
  });

  it('a residual and relu on the way', () => {
    const t = new Case();
    const [skip, x] = [t.activation([4, 5, 5, 24]), t.activation([4, 5, 5, 24])];
    const [y] = t.b.node('BatchNormTrain', [x, t.input([24], 0.5, 1), t.input([24])], { epsilon: 1e-3 });
    t.expectSame([t.op('Relu', [t.op('Add', [y!, skip])])], { tolerance: 1e-4 });
  });
});
