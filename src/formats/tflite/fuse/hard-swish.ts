import type { Operation, Program } from '../lower/program.ts';
import type { FusionRule, ProgramView } from './rewrite.ts';

/** Fuses x · relu6(x + 3) / 6, with the products in either order, into one operator (Howard et al. 2019). */
export const hardSwish: FusionRule = (operation, view) => {
  if (operation.op !== 'MUL') return undefined;
  for (const [a, b] of both(operation)) {
    const gate = view.only(b);
    if (gate?.op !== 'MUL' || view.isApart(gate, operation)) continue;
    for (const [c, d] of both(gate)) {
      const { program } = view;
      // x · (gate · 1/6)
      const x = a;
      if (isScalar(program, d, 1 / 6) && shiftedRelu6(view, c, x, operation)) return swish(operation, x);
      // (x · gate) · 1/6
      if (isScalar(program, a, 1 / 6) && shiftedRelu6(view, d, c, operation)) return swish(operation, c);
    }
  }
  return undefined;
};

function swish(operation: Operation, x: string): { insert: Operation[] } {
  const { layer } = operation;
  const found: Operation = { op: 'HARD_SWISH', inputs: [x], outputs: operation.outputs };
  return { insert: [layer === undefined ? found : { ...found, layer }] };
}

function both({ inputs: [a, b] }: Operation): (readonly [string, string])[] {
  return [
    [a!, b!],
    [b!, a!],
  ];
}

function shiftedRelu6({ program, only, isApart }: ProgramView, name: string, x: string, into: Operation): boolean {
  const relu = only(name);
  const sum = relu?.op === 'RELU6' ? only(relu.inputs[0]!) : undefined;
  if (relu === undefined || sum === undefined || isApart(relu, into) || isApart(sum, into)) return false;
  return sum.op === 'ADD' && both(sum).some(([a, b]) => a === x && isScalar(program, b, 3));
}

function isScalar(program: Program, name: string, value: number): boolean {
  const data = program.data(name);
  return data?.length === 1 && Math.abs(Number(data[0]) - value) < 1e-6;
}
