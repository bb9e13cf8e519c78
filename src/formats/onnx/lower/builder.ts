import { bytesOf, toHalfArray } from '../../../base/typed-bytes.ts';
import type { DType, TensorData } from '../../../graph/types.ts';
import { attributes } from '../attribute.ts';
import type { ShortAttrs } from '../attribute.ts';
import { tensor } from '../model.ts';
import type { OnnxNode, OnnxTensor } from '../model.ts';

/** Collects ONNX nodes and initializers under temporary names; final names are given at the end. */
export class OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers = new Map<string, OnnxTensor>();
  readonly #pool = new Map<string, string>();
  readonly #wishes = new Map<string, string>();
  readonly #made = new Set<string>();
  readonly #reserved: ReadonlySet<string>;
  #count = 0;
  #scope = '';
  #inScope = 0;

  constructor(reserved: ReadonlySet<string>) {
    this.#reserved = reserved;
  }

  /** Names nodes from here on after `scope`. */
  enter(scope: string): void {
    this.#scope = scope;
    this.#inScope = 0;
  }

  emit(op: string, inputs: readonly string[], attrs: ShortAttrs = {}, outputs = 1, domain = ''): string[] {
    const names = Array.from({ length: outputs }, () => this.#fresh());
    const name = this.#inScope++ === 0 ? this.#scope : `${this.#scope}/${op}_${this.#inScope - 1}`;
    this.nodes.push({ op, domain, name, inputs: [...inputs], outputs: names, attrs: attributes(attrs) });
    return names;
  }

  one(op: string, inputs: readonly string[], attrs: ShortAttrs = {}, domain = ''): string {
    return this.emit(op, inputs, attrs, 1, domain)[0]!;
  }

  /** Adds a stored tensor; equal small ones are stored once. */
  initializer(dtype: DType, dims: readonly number[], data: TensorData, name?: string): string {
    const key = data.byteLength <= 1024 ? `${dtype} ${dims.join()} ${bytesOf(data).join()}` : undefined;
    const known = key === undefined ? undefined : this.#pool.get(key);
    if (known !== undefined) return known;
    const made = this.#fresh();
    this.initializers.set(made, tensor(made, dtype, dims, data));
    if (key !== undefined) this.#pool.set(key, made);
    if (name !== undefined) this.wish(made, name);
    return made;
  }

  /** A 1-D int64 tensor. */
  ints(values: readonly number[]): string {
    const data = BigInt64Array.from(values, (value) =>
      value === Infinity ? 0x7fffffffffffffffn : value === -Infinity ? -0x7fffffffffffffffn : BigInt(value),
    );
    return this.initializer('int64', [values.length], data, `ints_${values.join('_').replaceAll('-', 'm')}`);
  }

  scalar(dtype: DType, value: number): string {
    return this.initializer(dtype, [], typedValues(dtype, [value]), `${dtype}_${value}`);
  }

  /** Suggests a final name; the first suggestion for a tensor counts. */
  wish(tensorName: string, name: string): void {
    if (this.#made.has(tensorName) && !this.#wishes.has(tensorName)) this.#wishes.set(tensorName, name);
  }

  /** True for a tensor that a node computes, rather than an input or a stored tensor. */
  isComputed(tensorName: string): boolean {
    return this.#made.has(tensorName) && !this.initializers.has(tensorName);
  }

  /** Final names of all tensors; `results`: prescribed names. */
  names(results: ReadonlyMap<string, string>): Map<string, string> {
    const usedNames = new Set([...this.#reserved, ...results.values()]);
    const names = new Map(results);
    for (const made of this.#made) {
      if (names.has(made)) continue;
      const wish = this.#wishes.get(made) ?? made;
      let name = wish;
      for (let n = 2; usedNames.has(name); n++) name = `${wish}_${n}`;
      usedNames.add(name);
      names.set(made, name);
    }
    return names;
  }

  #fresh(): string {
    this.#count++;
    while (this.#reserved.has(`t${this.#count}`)) this.#count++;
    const name = `t${this.#count}`;
    this.#made.add(name);
    return name;
  }
}

/** Numbers as elements of a tensor of `dtype`. */
function typedValues(dtype: DType, values: readonly number[]): TensorData {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values);
    case 'float16':
      return toHalfArray(Float32Array.from(values));
    case 'int32':
      return Int32Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, (value) => BigInt(Math.trunc(value)));
    case 'int16':
      return Int16Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'uint8':
      return Uint8Array.from(values);
    case 'bool':
      return Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
  }
}
