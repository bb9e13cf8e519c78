import { opNames } from '../../../src/graph/ops.ts';
import { rules } from '../../../src/formats/onnx/lower/table.ts';

it('has a rule for every op of the graph, and no other', () => {
  expect(Object.keys(rules).sort()).toEqual([...opNames].sort());
});
