import * as tf from '@tensorflow/tfjs-core';
import { staticShape, staticSize } from '../../graph/shapes.ts';
import type { TensorData, TensorType } from '../../graph/types.ts';
import type { State, StateTensor } from '../../runtime/engine.ts';
import { checkState, checkType } from '../../runtime/state.ts';

interface Held {
  readonly type: TensorType;
  /** Data of the content; the store owns its only reference. */
  dataId: tf.DataId;
}

/** Variables of one or more steps, as tensors of the current tfjs backend. */
export class TensorStore {
  readonly #held = new Map<string, Held>();
  #users = 0;

  open(): this {
    this.#users++;
    return this;
  }

  /** Frees everything when the last user has closed it. */
  close(): void {
    if (--this.#users > 0) return;
    for (const held of this.#held.values()) free(held);
    this.#held.clear();
  }

  /** Adds a variable; an existing one of this name keeps its content. */
  declare(name: string, type: TensorType, initial: () => TensorData): void {
    const known = this.#held.get(name);
    if (known === undefined) this.#held.set(name, { type, dataId: written(type, initial()) });
    else checkType(name, known.type, type);
  }

  /**
   * Runs `body` with the stored content in `variables`, without a copy; values that it assigns become the stored content. Afterwards the variables
   * have their old content.
   */
  within<T>(variables: Readonly<Record<string, tf.Variable>>, body: () => T): T {
    const before = new Map<tf.Variable, tf.DataId>();
    for (const [name, variable] of Object.entries(variables)) {
      before.set(variable, variable.dataId);
      variable.dataId = this.#held.get(name)!.dataId;
    }
    try {
      return body();
    } finally {
      for (const [name, variable] of Object.entries(variables)) {
        this.#held.get(name)!.dataId = variable.dataId;
        variable.dataId = before.get(variable)!;
      }
    }
  }

  /** Copies of the named variables. */
  read(names: Iterable<string>): State {
    const copies = new Map<string, StateTensor>();
    for (const name of names) {
      const held = this.#held.get(name)!;
      copies.set(name, { type: held.type, data: read(held).slice() });
    }
    return copies;
  }

  load(state: State, names: ReadonlySet<string>): void {
    checkState(state, this.#types(names));
    for (const [name, { data }] of state) {
      const held = this.#held.get(name)!;
      const next = written(held.type, data);
      free(held);
      held.dataId = next;
    }
  }

  #types(names: Iterable<string>): Map<string, TensorType> {
    return new Map([...names].map((name) => [name, this.#held.get(name)!.type]));
  }
}

/** A copy of `data` on the backend: tfjs keeps the given array until its first use. */
function written({ dtype, shape }: TensorType, data: TensorData): tf.DataId {
  const values = (data as Float32Array).slice();
  return tf.keep(tf.tensor(values, [...staticShape(shape, 'a variable')], dtype as 'float32')).dataId;
}

function read({ type, dataId }: Held): TensorData {
  const data = tf.engine().readSync(dataId) as Float32Array;
  return type.dtype === 'bool' ? Uint8Array.from(data) : data;
}

function free({ type, dataId }: Held): void {
  const { dtype, shape } = type;
  tf.engine().disposeTensor({ dataId, dtype, size: staticSize(shape) } as unknown as tf.Tensor);
}
