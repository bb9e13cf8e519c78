import { bytesOf } from '../../../base/typed-bytes.ts';
import { builtinOperators } from '../schema/operators.ts';
import type { BuiltinOperator } from '../schema/operators.ts';
import type { Fields } from '../schema/notation.ts';
import { tensorType } from '../schema/tensor-types.ts';
import type { Operator, OperatorCode, TfliteBuffer, TfliteModel, TfliteTensor } from '../types.ts';

/** An operator of the first version, its inputs, and the tensor that it makes. */
interface AddedOperator {
  readonly op: BuiltinOperator;
  readonly inputs: readonly number[];
  readonly output: number;
  readonly options?: Fields;
}

/** The last step of a changed file. */
export interface AnswerEnd {
  /** The function that makes answers of the logits. */
  readonly activation?: 'SOFTMAX' | 'LOGISTIC' | undefined;
  /** Name of the answers. */
  readonly answer: string;
  /** Name of the output of boxes, of a detector, beside the output that the answers are made of. */
  readonly boxes?: string | undefined;
}

/** Adds tensors and operators to a model of one subgraph. The tensors of the model keep their indexes. */
export class ModelEditor {
  readonly #model: TfliteModel;
  readonly #tensors: TfliteTensor[];
  readonly #buffers: TfliteBuffer[];
  readonly #codes: OperatorCode[];

  constructor(model: TfliteModel) {
    this.#model = model;
    this.#tensors = [...model.subgraphs[0]!.tensors];
    this.#buffers = [...model.buffers];
    this.#codes = [...model.operatorCodes];
  }

  /** Index of a new tensor that is fed or computed. */
  tensor(name: string, dtype: 'float32' | 'int32', shape: readonly number[]): number {
    return this.#tensors.push({ name, shape, type: tensorType(dtype), buffer: 0 }) - 1;
  }

  /** Index of a new constant. */
  constant(name: string, values: Int32Array | Float32Array, shape: readonly number[] = [values.length]): number {
    const buffer = this.#buffers.push({ data: bytesOf(values) }) - 1;
    const type = tensorType(values instanceof Int32Array ? 'int32' : 'float32');
    return this.#tensors.push({ name, shape, type, buffer }) - 1;
  }

  rename(tensor: number, name: string): void {
    this.#tensors[tensor] = { ...this.#tensors[tensor]!, name };
  }

  operator({ op, inputs, output, options }: AddedOperator): Operator {
    const builtinCode = builtinOperators.indexOf(op);
    const known = this.#codes.findIndex((code) => code.builtinCode === builtinCode && code.version === 1);
    const code = { deprecatedBuiltinCode: Math.min(builtinCode, 127), version: 1, builtinCode };
    const opcodeIndex = known >= 0 ? known : this.#codes.push(code) - 1;
    return { opcodeIndex, inputs, outputs: [output], ...(options !== undefined && { builtinOptions: options }) };
  }

  /** Index of the answers that are made of an output; the operator that makes them is added to `after`. */
  answer(output: number, { activation, answer }: AnswerEnd, after: Operator[]): number {
    if (activation === undefined) {
      this.rename(output, answer);
      return output;
    }
    const last = this.tensor(answer, 'float32', this.#tensors[output]!.shape!);
    const options = activation === 'SOFTMAX' ? { options: { type$: 'SoftmaxOptions', beta: 1 } } : {};
    after.push(this.operator({ op: activation, inputs: [output], output: last, ...options }));
    return last;
  }

  /** The model with these inputs and outputs. Operators run before and after its own. An entry of `metadata` replaces the entry of its name, or removes it where it is undefined. */
  finished(
    inputs: readonly number[],
    outputs: readonly number[],
    { before, after }: { readonly before: readonly Operator[]; readonly after: readonly Operator[] },
    metadata: Readonly<Record<string, Uint8Array | undefined>>,
  ): TfliteModel {
    const [main] = this.#model.subgraphs;
    const tensors = this.#tensors;
    const kept = (this.#model.metadata ?? []).filter(({ name }) => !(name in metadata));
    const buffers = this.#buffers.map((buffer, i) => (this.#isDropped(i, metadata) ? {} : buffer));
    const added = Object.entries(metadata).flatMap(([name, data]) =>
      data === undefined ? [] : [{ name, buffer: buffers.push({ data }) - 1 }],
    );
    const map = (indexes: readonly number[]): { name: string; tensorIndex: number }[] =>
      indexes.map((tensorIndex) => ({ name: tensors[tensorIndex]!.name, tensorIndex }));
    return {
      ...this.#model,
      operatorCodes: this.#codes,
      buffers,
      subgraphs: [{ ...main!, tensors, inputs, outputs, operators: [...before, ...main!.operators, ...after] }],
      metadata: [...kept, ...added],
      signatureDefs: [{ signatureKey: 'serving_default', inputs: map(inputs), outputs: map(outputs) }],
    };
  }

  #isDropped(buffer: number, metadata: object): boolean {
    return (this.#model.metadata ?? []).some((entry) => entry.buffer === buffer && entry.name in metadata);
  }
}
