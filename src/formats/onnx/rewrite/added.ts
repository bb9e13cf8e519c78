import { tensor } from '../model.ts';
import type { OnnxAttr, OnnxNode, OnnxTensor } from '../model.ts';

/** Nodes and constants that a rewrite puts before or after a model. */
export interface Added {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

type Attrs = Readonly<Record<string, OnnxAttr>>;

/** Collects nodes and constants; each call returns the name of the value. `prefix`: of the names of constants. */
export class Adder implements Added {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  node(op: string, inputs: readonly string[], output: string, attrs: Attrs = {}): string {
    this.nodes.push({ op, domain: '', name: output, inputs, outputs: [output], attrs: new Map(Object.entries(attrs)) });
    return output;
  }

  floats(name: string, values: readonly number[], dims = [values.length]): string {
    return this.#constant(tensor(this.#prefix + name, 'float32', dims, Float32Array.from(values)));
  }

  integers(name: string, values: readonly number[], dims = [values.length]): string {
    return this.#constant(tensor(this.#prefix + name, 'int64', dims, BigInt64Array.from(values, BigInt)));
  }

  #constant(value: OnnxTensor): string {
    this.initializers.push(value);
    return value.name;
  }
}

export const asInt = (value: number): OnnxAttr => ({ type: 'int', value });
export const asInts = (...value: readonly number[]): OnnxAttr => ({ type: 'ints', value });

/** Nodes whose results have other names. */
export function withRenamed(nodes: readonly OnnxNode[], names: ReadonlyMap<string, string>): OnnxNode[] {
  const renamed = (values: readonly string[]): string[] => values.map((value) => names.get(value) ?? value);
  return nodes.map((node) => ({ ...node, inputs: renamed(node.inputs), outputs: renamed(node.outputs) }));
}
