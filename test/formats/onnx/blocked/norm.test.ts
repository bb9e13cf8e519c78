import { Case, describeBlocked } from './harness.ts';

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

  it('a residual and relu on the way', () => {
    const t = new Case();
    const [skip, x] = [t.activation([4, 5, 5, 24]), t.activation([4, 5, 5, 24])];
    const [y] = t.b.node('BatchNormTrain', [x, t.input([24], 0.5, 1), t.input([24])], { epsilon: 1e-3 });
    t.expectSame([t.op('Relu', [t.op('Add', [y!, skip])])], { tolerance: 1e-4 });
  });
});
