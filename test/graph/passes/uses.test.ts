import { readersOf } from '../../../src/graph/passes/uses.ts';

it('the readers of a value come in their order, one that reads it twice once', () => {
  const [square, product, negated] = [{ inputs: ['a', 'a'] }, { inputs: ['a', 'b'] }, { inputs: ['b'] }];
  const readers = readersOf([square, product, negated]);
  expect([...readers]).toEqual([
    ['a', [square, product]],
    ['b', [product, negated]],
  ]);
});
