import { rules as onnxRules } from '../../src/formats/onnx/lower/table.ts';
import { opNames } from '../../src/graph/ops.ts';
import { interpretRules } from '../../src/trace/interpret/interpret.ts';

describe('every interpretation of the graph', () => {
  it.each([
    ['interpret', interpretRules],
    ['onnx', onnxRules],
  ])('%s has one rule for each op and no other', (_, table) => {
    expect(Object.keys(table).sort()).toEqual([...opNames].sort());
  });
});
