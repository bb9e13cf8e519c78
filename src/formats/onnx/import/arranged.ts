import type { GraphBuilder } from '../../../graph/builder.ts';
import { sameShape } from '../../../graph/shapes.ts';
import type { Attrs } from '../../../graph/types.ts';
import { arranged, backwards, keyOf, plainOf } from './arrangement.ts';
import type { Arrangement } from './arrangement.ts';

interface Stored {
  readonly dims: readonly number[];
  /** Order of its constant. */
  readonly own: Arrangement;
  readonly values: Map<string, string>;
}

/** What is needed to make constants. */
export interface Maker {
  readonly builder: GraphBuilder;
  readonly op: (op: string, inputs: readonly string[], attrs: Attrs) => string;
}

/**
 * Stored float tensors in the graph, each as one constant, and rearrangements of it for nodes that read another order: copies of a weight would be
 * trained separately.
 */
export class ArrangedTensors {
  readonly #maker: Maker;
  readonly #stored = new Map<string, Stored>();

  constructor(maker: Maker) {
    this.#maker = maker;
  }

  has(source: string): boolean {
    return this.#stored.has(source);
  }

  /** A stored tensor in the requested order. */
  again(source: string, as: Arrangement): string {
    const { values } = this.#stored.get(source)!;
    const found = values.get(keyOf(as)) ?? this.turned(this.plain(source), as);
    values.set(keyOf(as), found);
    return found;
  }

  /** Adds a constant in the order that is requested first. */
  add(name: string, data: Float32Array, dims: readonly number[], as: Arrangement): string {
    const type = { dtype: 'float32' as const, shape: as.shape };
    const made = this.#maker.builder.constant(type, arranged(data, as), name);
    this.#stored.set(name, { dims, own: as, values: new Map([[keyOf(as), made]]) });
    return made;
  }

  /** A stored tensor in the order of the file. */
  plain(source: string): string {
    const { dims, own, values } = this.#stored.get(source)!;
    const plain = plainOf(dims);
    const known = values.get(keyOf(plain));
    if (known !== undefined) return known;
    const made = this.turned(values.get(keyOf(own))!, { ...backwards(own), shape: plain.shape });
    values.set(keyOf(plain), made);
    return made;
  }

  turned(value: string, { from, perm, shape }: Arrangement): string {
    const { builder, op } = this.#maker;
    const reshape = (of: string, to: readonly number[]): string =>
      sameShape(builder.typeOf(of).shape, to) ? of : op('Reshape', [of], { shape: [...to] });
    const lying = reshape(value, from);
    const isSame = perm.every((axis, i) => axis === i);
    return reshape(isSame ? lying : op('Transpose', [lying], { perm: [...perm] }), shape);
  }
}
