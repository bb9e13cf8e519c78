import { InferenceModel } from '../../../runtime/inference.ts';
import type { InferenceTensor } from '../../../runtime/inference.ts';
import type { SessionOptions } from '../../../runtime/onnxruntime/session-options.ts';
import type { OnnxContent } from '../../../formats/onnx/large.ts';
import type { TokenReader } from '../whole-reader.ts';
import { pastName, presentName } from './graph.ts';
import type { DecoderParts } from './parts.ts';

type CacheSizes = Pick<DecoderParts, 'layers' | 'groups' | 'depth' | 'length' | 'end'>;

/** Keys and values of places one after another. */
type Past = Readonly<Record<string, InferenceTensor>>;

/** Reads a text token by token: keys and values of the tokens that it has read are kept, so that only new tokens are computed. */
export class CachedReader implements TokenReader {
  readonly #model: InferenceModel;
  readonly #sizes: CacheSizes;
  /** Tokens that were read, of which the last `#kept` have keys and values. */
  #read: readonly number[] = [];
  #kept = 0;
  #past: Past;

  private constructor(model: InferenceModel, sizes: CacheSizes) {
    this.#model = model;
    this.#sizes = sizes;
    this.#past = this.#none();
  }

  /** `content`: a file by `withCache`. `UserError` if ONNX Runtime cannot load it. */
  static open(content: OnnxContent, file: string, sizes: CacheSizes, options: SessionOptions): CachedReader {
    return new CachedReader(new InferenceModel(content, file, options), sizes);
  }

  fork(): CachedReader {
    const other = new CachedReader(this.#model, this.#sizes);
    [other.#past, other.#kept, other.#read] = [this.#past, this.#kept, this.#read];
    return other;
  }

  /** Logits [vocabulary] of the token behind `ids`, of which there is at least one. Tokens that the last call had at the beginning too are not computed again. */
  logits(ids: readonly number[]): Float32Array {
    this.#keep(ids);
    const [from, fresh] = [this.#read.length, ids.slice(this.#read.length)];
    const asIds = (values: readonly number[]): InferenceTensor => ({
      data: BigInt64Array.from(values, BigInt),
      shape: [1, values.length],
    });
    const answer = this.#model.runNow({
      input_ids: asIds(fresh),
      attention_mask: asIds(new Array<number>(this.#kept + fresh.length).fill(1)),
      position_ids: asIds(fresh.map((_, i) => from + i)),
      ...this.#past,
    });
    this.#past = Object.fromEntries(
      this.#names().map(([past, present]) => [past, answer[present]!] satisfies [string, InferenceTensor]),
    );
    this.#kept += fresh.length;
    this.#read = [...ids];
    // Places that no later token sees.
    if (this.#kept >= 2 * this.#sizes.length) this.#cut(this.#kept - this.#sizes.length, this.#kept);
    const { data, shape } = answer['logits']!;
    return (data as Float32Array).slice(data.length - shape[2]!);
  }

  dispose(): void {
    this.#model.dispose();
  }

  /** Keeps what was read of the beginning that both texts share, but not the last token, whose logits are asked for. */
  #keep(ids: readonly number[]): void {
    let shared = 0;
    while (shared < ids.length - 1 && shared < this.#read.length && ids[shared] === this.#read[shared]) shared++;
    const first = this.#read.length - this.#kept;
    // An end of a text has hidden what came before it; the first places may be gone, which the last `length` tokens need.
    const isLost =
      this.#read.slice(shared).includes(this.#sizes.end) || (first > 0 && shared - first < this.#sizes.length - 1);
    if (isLost) {
      this.#past = this.#none();
      this.#kept = 0;
      this.#read = [];
      return;
    }
    if (shared < this.#read.length) this.#cut(0, shared - first);
    this.#read = this.#read.slice(0, shared);
  }

  /** Keeps the places `from` … `to` - 1 of those that have keys and values. */
  #cut(from: number, to: number): void {
    const { groups, depth } = this.#sizes;
    this.#past = Object.fromEntries(
      Object.entries(this.#past).map(([name, { data, shape }]) => {
        const total = shape[2]!;
        const kept = new Float32Array(groups * (to - from) * depth);
        for (let group = 0; group < groups; group++) {
          const start = group * total;
          const part = (data as Float32Array).subarray((start + from) * depth, (start + to) * depth);
          kept.set(part, group * (to - from) * depth);
        }
        return [name, { data: kept, shape: [1, groups, to - from, depth] }];
      }),
    );
    this.#kept = to - from;
  }

  #none(): Past {
    const { groups, depth } = this.#sizes;
    const none = { data: new Float32Array(0), shape: [1, groups, 0, depth] };
    return Object.fromEntries(this.#names().map(([past]) => [past, none]));
  }

  #names(): (readonly [past: string, present: string])[] {
    const layers = Array.from({ length: this.#sizes.layers }, (_, layer) => layer);
    return layers.flatMap((layer) =>
      (['key', 'value'] as const).map((part) => [pastName(layer, part), presentName(layer, part)] as const),
    );
  }
}
