import { opNames } from '../../../src/graph/ops.ts';
import { examples } from './ops/examples.ts';

it('there is an example of every op, for the conformance tests', () => {
  expect(Object.keys(examples).sort()).toEqual([...opNames].sort());
});
