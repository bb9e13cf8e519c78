import { GraphBuilder } from '../../../../src/graph/builder.ts';
import { freezeState } from '../../../../src/graph/passes/constants/freeze-state.ts';

const float = (...shape: number[]) => ({ dtype: 'float32' as const, shape });

function counting() {
  const b = new GraphBuilder();
  const x = b.input('x', float(2));
  const w = b.state('w', float(2));
  const sum = b.op('Add', [x, w]);
  b.output('y', sum);
  b.output('w', w);
  b.update('w', sum);
  return b.build();
}

describe('freezing the variables', () => {
  it('turns them into constants with the content given, and drops the updates', () => {
    const data = Float32Array.of(3, 4);
    const frozen = freezeState(counting(), new Map([['w', { type: float(2), data }]]));
    expect([frozen.state.size, frozen.updates.size]).toEqual([0, 0]);
    expect(frozen.constants.get(frozen.nodes[0]!.inputs[1]!)).toEqual({ type: float(2), data });
    expect(frozen.outputs.get('w')).toBe(frozen.nodes[0]!.inputs[1]);
  });

  it('needs the content of every one', () => {
    expect(() => freezeState(counting(), new Map())).toThrow(/no content is given for the variable w/);
  });
});
