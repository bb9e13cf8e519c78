import type { TensorQuantization } from '../../../graph/quantization.ts';
import { symbolicSize } from '../../../graph/shapes.ts';
import type { TensorData, TensorType } from '../../../graph/types.ts';
import type { Fields } from '../schema/notation.ts';
import type { BuiltinOperator } from '../schema/operators.ts';

export interface TfliteValue {
  readonly type: TensorType;
  /** Present for a constant. */
  readonly data?: TensorData;
  readonly quantization?: TensorQuantization;
  /** Positions of nonzero values, as the format's SparsityParameters, of a constant whose `data` has only these. */
  readonly sparsity?: Fields;
}

/** A TFLite operation. Inputs and outputs are value names; an absent optional input is `''`. */
export interface Operation {
  readonly op: BuiltinOperator;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly options?: Fields;
  readonly layer?: string;
}

/**
 * A model in TFLite's operators before serialization: lowering writes it, the fusing and quantizing passes rewrite it. Values keep their names in the
 * graph.
 */
export class Program {
  /** Inputs and outputs, by their names in the graph. */
  inputs = new Map<string, string>();
  outputs = new Map<string, string>();
  /** Inputs of a stream that are its past, each with the output that is the past of the next call. */
  readonly pasts = new Map<string, string>();
  /** Program that a file runs once, before its first call. */
  first?: Program;
  operations: Operation[] = [];
  readonly values = new Map<string, TfliteValue>();
  /** Next number to append to a taken name; values are never removed. */
  readonly #numbers = new Map<string, number>();

  type(name: string): TensorType {
    return this.value(name).type;
  }

  data(name: string): TensorData | undefined {
    return name === '' ? undefined : this.value(name).data;
  }

  value(name: string): TfliteValue {
    const value = this.values.get(name);
    if (value === undefined) throw new Error(`value ${name} is not bound`);
    return value;
  }

  /** Adds a value; if `wish` is taken, a number is appended. */
  add(wish: string, value: TfliteValue): string {
    let name = wish;
    let number = this.#numbers.get(wish) ?? 1;
    for (; this.values.has(name); number++) name = `${wish}_${number}`;
    this.#numbers.set(wish, number);
    this.values.set(name, value);
    return name;
  }

  constant(type: TensorType, data: TensorData, wish: string): string {
    if (symbolicSize(type.shape).factor !== data.length)
      throw new Error(`constant ${wish}: ${data.length} values for [${type.shape.join(', ')}]`);
    return this.add(wish, { type, data });
  }

  ints(values: readonly number[], wish = 'ints'): string {
    return this.constant({ dtype: 'int32', shape: [values.length] }, Int32Array.from(values), wish);
  }

  int(value: number, wish = 'int'): string {
    return this.constant({ dtype: 'int32', shape: [] }, Int32Array.of(value), wish);
  }

  float(value: number, wish = 'float'): string {
    return this.constant({ dtype: 'float32', shape: [] }, Float32Array.of(value), wish);
  }

  /** Number of operations and outputs that read each value. */
  uses(): Map<string, number> {
    const uses = new Map<string, number>();
    const use = (name: string): unknown => uses.set(name, (uses.get(name) ?? 0) + 1);
    for (const { inputs } of this.operations) inputs.forEach(use);
    for (const name of this.outputs.values()) use(name);
    return uses;
  }

  producers(): Map<string, Operation> {
    return new Map(this.operations.flatMap((operation) => operation.outputs.map((name) => [name, operation] as const)));
  }

  /** Removes operations without readers. */
  prune(): void {
    const needed = new Set(this.outputs.values());
    this.operations = this.operations
      .reverse()
      .filter((operation) => {
        const used = operation.outputs.some((name) => needed.has(name));
        if (used) operation.inputs.forEach((name) => needed.add(name));
        return used;
      })
      .reverse();
  }
}

/** A copy of the operation with changes. */
export function changed(operation: Operation, change: Partial<Operation>): Operation {
  return { ...operation, ...change };
}
