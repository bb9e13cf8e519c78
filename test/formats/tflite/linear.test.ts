import { fuseProgram } from '../../../src/formats/tflite/fuse/rewrite.ts';
import { Program } from '../../../src/formats/tflite/lower/program.ts';
import type { Operation } from '../../../src/formats/tflite/lower/program.ts';
import { betweenFloat } from '../../../src/formats/tflite/quantize/between.ts';
import { floats } from './support.ts';

const COUNT = 300;

/** A chain of operations, one of them at each value, the first on the input `v0`. */
function chain(ops: readonly Operation['op'][]): Program {
  const program = new Program();
  for (let i = 0; i <= ops.length; i++) program.add(`v${i}`, { type: floats('batch', 4) });
  program.inputs.set('x', 'v0');
  program.outputs.set('y', `v${ops.length}`);
  program.operations = ops.map((op, i) => ({ op, inputs: [`v${i}`], outputs: [`v${i + 1}`] }));
  return program;
}

/** The results of a method of an object are those that they were; the function says how often it was called. */
function counted<Name extends string>(object: Record<Name, (...args: never[]) => unknown>, name: Name): () => number {
  const method = object[name].bind(object);
  let calls = 0;
  object[name] = (...args) => {
    calls++;
    return method(...args);
  };
  return () => calls;
}

describe('the time for a program is that for each of its operations', () => {
  it('where rules fit everywhere', () => {
    const program = chain(Array.from({ length: COUNT }, (_, i) => (i % 3 === 0 ? 'ABS' : i % 3 === 1 ? 'NEG' : 'EXP')));
    let asked = 0;
    fuseProgram(program, [
      (operation, { only }) => {
        asked++;
        if (operation.op === 'NEG') return { same: operation.inputs[0]! };
        const before = only(operation.inputs[0]!);
        if (operation.op !== 'EXP' || before?.op !== 'ABS') return undefined;
        return { insert: [{ ...operation, op: 'RELU', inputs: before.inputs }] };
      },
    ]);
    expect(program.operations.map(({ op }) => op)).toEqual(Array.from({ length: COUNT / 3 }, () => 'RELU'));
    // Once each, and what is left once more.
    expect(asked).toBe(COUNT + COUNT / 3);
  });

  it('where each stands between float32 ones but for the last', () => {
    const program = chain(['SIN', ...Array.from({ length: COUNT }, () => 'ABS' as const)]);
    const passes = counted(program.outputs as never, 'values');
    expect(betweenFloat(program, program.operations, ({ op }) => op === 'SIN').size).toBe(0);
    expect(passes()).toBeLessThan(5);
  });

  it('where all values wish for one name', () => {
    const program = chain([]);
    const asked = counted(program.values as never, 'has');
    const names = Array.from({ length: COUNT }, () => program.add('c', { type: floats() }));
    expect(names.slice(0, 3)).toEqual(['c', 'c_1', 'c_2']);
    expect(new Set(names).size).toBe(COUNT);
    expect(asked()).toBeLessThanOrEqual(2 * COUNT);
  });
});
