import type { Node } from '../../../../graph/types.ts';
import type { ShortAttr } from '../../attribute.ts';
import type { Blocked } from './context.ts';

/** Ops that a convolution applies to its sums before it stores them: the following ops whose inputs no other node reads. */
export interface Epilogue {
  /** The value that then results. */
  readonly out: string;
  /** Values between that nobody sees. */
  readonly through: readonly string[];
  /** Per channel, added. */
  readonly bias?: string;
  /** Batch norm with given statistics. */
  readonly norm?: Node;
  /** An activation of the same shape, added. */
  readonly sum?: string;
  readonly activation?: Node;
}

const ACTIVATIONS: Readonly<Record<string, Readonly<Record<string, ShortAttr>>>> = {
  Relu: { activation: 'Relu' },
  Relu6: { activation: 'Clip', activation_params: { floats: [0, 6] } },
};

export function epilogueOf(b: Blocked, value: string): Epilogue {
  let result: Epilogue = { out: value, through: [] };
  const bias = onlyConsumer(b, result.out);
  const vector = bias?.op === 'Add' ? otherOf(bias, result.out) : undefined;
  if (bias?.op === 'FusedBatchNorm' && statistics(b, bias)) result = { ...after(result, bias), norm: bias };
  else if (vector !== undefined && isVector(b, vector, value)) result = { ...after(result, bias!), bias: vector };
  return withSum(b, result);
}

/** A sum with something that is there already, then an activation. */
export function withSum(b: Blocked, start: Pick<Epilogue, 'out'> & Partial<Epilogue>): Epilogue {
  let result: Epilogue = { through: [], ...start };
  const add = onlyConsumer(b, result.out);
  const sum = add?.op === 'Add' ? otherOf(add, result.out) : undefined;
  if (sum !== undefined && b.has(sum) && sameSizes(b, sum, result.out)) result = { ...after(result, add!), sum };
  const activation = onlyConsumer(b, result.out);
  if (activation === undefined || ACTIVATIONS[activation.op] === undefined) return result;
  return { ...after(result, activation), activation };
}

function after(epilogue: Epilogue, { outputs }: Node): Epilogue {
  return { ...epilogue, out: outputs[0]!, through: [...epilogue.through, epilogue.out] };
}

/** Defines `tensor` as the result. */
export function define(b: Blocked, { out, through }: Epilogue, tensor: string): void {
  for (const value of through) b.absorbed.add(value);
  b.define(out, tensor);
}

/** Inputs behind the filter, and attributes: what `Conv` of the blocked ops takes for it. */
export function epilogueInputs(
  b: Blocked,
  { sum, activation }: Epilogue,
  bias: string | undefined,
): {
  readonly inputs: readonly string[];
  readonly attrs: Readonly<Record<string, ShortAttr>>;
} {
  const added = sum === undefined ? [] : [b.get(sum)!];
  return {
    inputs: bias === undefined && added.length === 0 ? [] : [bias ?? '', ...added],
    attrs: activation === undefined ? {} : ACTIVATIONS[activation.op]!,
  };
}

/** The only node that reads a value which stays inside the graph. */
export function onlyConsumer(b: Blocked, value: string): Node | undefined {
  const [only, ...others] = b.c.consumersOf(value);
  return others.length > 0 || b.c.isResult(value) ? undefined : only;
}

function otherOf({ inputs }: Node, value: string): string | undefined {
  if (inputs[0] === inputs[1]) return undefined;
  return inputs[0] === value ? inputs[1] : inputs[0];
}

function isThere(b: Blocked, value: string): boolean {
  return b.c.isDefined(value) || b.c.graph.constants.has(value);
}

/** True if `vector` is there and has one number for each channel of `value`. */
export function isVector(b: Blocked, vector: string, value: string): boolean {
  const shape = b.c.shapeOf(vector);
  return shape.length === 1 && shape[0] === b.c.shapeOf(value).at(-1) && isThere(b, vector);
}

export function statistics(b: Blocked, { inputs }: Node): boolean {
  return inputs.slice(1).every((name) => name === '' || isVector(b, name, inputs[0]!));
}

function sameSizes(b: Blocked, one: string, other: string): boolean {
  return b.c.shapeOf(one).join() === b.c.shapeOf(other).join();
}
