import type { GraphBuilder } from '../builder.ts';
import type { Attrs, Node } from '../types.ts';

/** A pattern that was found: an op on `x` that gives the same. */
export interface FoundPattern {
  readonly op: string;
  readonly x: string;
  readonly attrs?: Attrs;
  /** Further operands. */
  readonly more?: readonly string[];
}

/** Questions that patterns ask about values of the graph being built. */
export interface Match {
  /** The node that gives `name`, if it is an `op`. */
  node(name: string, op: string): Node | undefined;
  /** The number that `name` is, if it is a constant with one value. */
  number(name: string): number | undefined;
  /** Both operands of the commutative `op` that gives `name`, `first` before the other, if `first` is one of them. */
  other(name: string, op: string, first: string): string | undefined;
  /** The operand and the constant of a commutative `op` (or of Sub and RealDiv, whose constant comes second). */
  withNumber(name: string, op: string): { x: string; value: number } | undefined;
}

export function matching(builder: GraphBuilder): Match {
  const node = (name: string, op: string): Node | undefined => {
    const producer = builder.producerOf(name);
    return producer?.op === op ? producer : undefined;
  };
  const number = (name: string): number | undefined => {
    const source = node(name, 'BroadcastTo')?.inputs[0] ?? name;
    const data = builder.constantOf(source)?.data;
    return data?.length === 1 ? Number(data[0]) : undefined;
  };
  return {
    node,
    number,
    other: (name, op, first) => {
      const [a, b] = node(name, op)?.inputs ?? [];
      if (a === first) return b;
      return b === first ? a : undefined;
    },
    withNumber: (name, op) => {
      const [a, b] = node(name, op)?.inputs ?? [];
      if (a === undefined || b === undefined) return undefined;
      const second = number(b);
      if (second !== undefined) return { x: a, value: second };
      const first = op === 'Sub' || op === 'RealDiv' ? undefined : number(a);
      return first === undefined ? undefined : { x: b, value: first };
    },
  };
}

/** Equal as float32 numbers, give or take a rounding. */
export function near(a: number | undefined, b: number): boolean {
  return a !== undefined && Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b));
}

/** `name` as a product of factors and a number; a quotient by a number counts. */
export function factors(name: string, match: Match): { coefficient: number; values: string[] } {
  const value = match.number(name);
  if (value !== undefined) return { coefficient: value, values: [] };
  const quotient = match.withNumber(name, 'RealDiv');
  if (quotient !== undefined) {
    const { coefficient, values } = factors(quotient.x, match);
    return { coefficient: coefficient / quotient.value, values };
  }
  const product = match.node(name, 'Multiply');
  if (product === undefined) return { coefficient: 1, values: [name] };
  const [a, b] = product.inputs.map((input) => factors(input, match)) as [
    ReturnType<typeof factors>,
    ReturnType<typeof factors>,
  ];
  return { coefficient: a.coefficient * b.coefficient, values: [...a.values, ...b.values] };
}
