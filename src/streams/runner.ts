import type { OutputValues } from '../convert/likeness.ts';
import { staticSize, withBatch } from '../graph/shapes.ts';
import type { Graph } from '../graph/types.ts';
import { nextName } from '../formats/onnx/lower.ts';
import type { InferenceTensor } from '../runtime/inference.ts';
import type { Feeds, FileRunner } from '../ship/parity/file-runner.ts';
import { cutAlong, joinAlong } from './along.ts';
import type { Stream } from './graph/stream.ts';

type Answer = Readonly<Record<string, OutputValues>>;

/**
 * A stream that is asked as the model of windows is: a window goes in hop by hop, and the answer to its last hop comes out; of outputs with an answer
 * for each frame the last frames. A window in `following` begins a hop after the one before it, whose past is kept.
 */
export class HopRunner implements FileRunner {
  readonly outputs: readonly string[];
  #file: FileRunner;
  readonly #reopen: () => Promise<FileRunner>;
  readonly #stream: Stream;
  /** Frames of a window in outputs with an answer for each frame. */
  readonly #frames: ReadonlyMap<string, { readonly axis: number; readonly size: number }>;
  readonly #following: ReadonlySet<Feeds>;
  #past: Record<string, InferenceTensor> = {};
  #isFresh = true;
  /** Answers to the last hops, by output. */
  #answers: Answer[] = [];

  constructor(
    file: FileRunner,
    reopen: () => Promise<FileRunner>,
    stream: Stream,
    whole: Graph,
    following: ReadonlySet<Feeds>,
  ) {
    this.outputs = file.outputs.slice(0, whole.outputs.size);
    this.#file = file;
    this.#reopen = reopen;
    this.#stream = stream;
    this.#following = following;
    this.#frames = new Map(
      [...whole.outputs].flatMap(([name, value], i) => {
        const axis = stream.perFrame.get(name)?.axis;
        if (axis === undefined) return [];
        return [[this.outputs[i]!, { axis, size: whole.types.get(value)!.shape[axis] as number }] as const];
      }),
    );
  }

  async run(feeds: Feeds): Promise<Answer> {
    const { axis, hop, input } = this.#stream;
    const { data, shape } = feeds[input] ?? Object.values(feeds)[0]!;
    if (this.#following.has(feeds)) {
      await this.#step(cutAlong({ data, shape }, axis, shape[axis]! - hop, hop));
      return this.#answer();
    }
    // Variables inside a file have the size of one sample.
    const rows = this.#keepsInside ? shape[0]! : 1;
    const found: Answer[] = [];
    for (let row = 0; row < rows; row++) {
      const own = rows === 1 ? { data, shape } : cutAlong({ data, shape }, 0, row, 1);
      await this.#begin(own.shape[0]!);
      const frames = Math.ceil(shape[axis]! / hop) * hop;
      for (let end = hop; end <= frames; end += hop)
        await this.#step(cutAlong(own, axis, shape[axis]! - frames + end - hop, hop));
      found.push(this.#answer());
    }
    return Object.fromEntries(
      this.outputs.map((name) => {
        const parts = found.map((answer) => answer[name]!);
        return [name, { ...joinAlong(parts, 0), isInteger: parts[0]!.isInteger }];
      }),
    );
  }

  dispose(): void {
    this.#file.dispose();
  }

  get #keepsInside(): boolean {
    return this.#file.outputs.length === this.outputs.length && this.#stream.graph.state.size > 0;
  }

  async #begin(batch: number): Promise<void> {
    this.#answers = [];
    if (!this.#keepsInside) {
      const zeros = [...this.#stream.graph.state].map(([name, { shape }]) => {
        const dims = withBatch(shape, batch);
        return [name, { data: new Float32Array(staticSize(dims)), shape: dims }] as const;
      });
      this.#past = Object.fromEntries(zeros);
    } else if (!this.#isFresh) {
      this.#file.dispose();
      this.#file = await this.#reopen();
    }
    this.#isFresh = false;
  }

  async #step(hop: InferenceTensor): Promise<void> {
    const answer = await this.#file.run({ [this.#stream.input]: hop, ...this.#past });
    this.#past = Object.fromEntries(
      Object.keys(this.#past).map((name) => {
        const { data, shape } = answer[nextName(name)]!;
        return [name, { data: data as Float32Array, shape }];
      }),
    );
    this.#answers.push(answer);
  }

  #answer(): Answer {
    const last = this.#answers.at(-1)!;
    return Object.fromEntries(
      this.outputs.map((name) => {
        const frames = this.#frames.get(name);
        if (frames === undefined) return [name, last[name]!];
        const { axis, size } = frames;
        const parts = this.#answers.map((answer) => answer[name]!);
        const all = joinAlong(parts, axis);
        const { isInteger } = last[name]!;
        return [name, { ...cutAlong(all, axis, all.shape[axis]! - size, size), isInteger }];
      }),
    );
  }
}
