import type { AnswerEnd } from '../../formats/tflite/rewrite/editor.ts';

/** Values of an input by its name. */
export type FedByName = (name: string, inputs: number) => Int32Array | Float32Array;

/** A held-out sample, as a file takes it and as the file that is made of it does. */
export interface ComparedSample {
  readonly given: FedByName;
  readonly changed: FedByName;
}

/** Changes to the files of a run that a task of MediaPipe needs, and the samples on which they are checked. */
export interface TaskEnds {
  /** The file with the inputs and answers of the task; `files` are packed behind it. */
  readonly changed: (
    bytes: Uint8Array,
    end: AnswerEnd,
    description: {
      readonly description: string;
      readonly hasLabels: boolean;
      readonly files: Readonly<Record<string, string>>;
    },
  ) => Uint8Array;
  /** Up to `count` held-out samples. */
  readonly samples: (count: number) => Iterable<ComparedSample>;
  /** Contents of the file beside the model, as the README lists them. */
  readonly packed: string;
  /** Differences between `limbeck evaluate` and the task, one sentence each. */
  readonly notes: readonly string[];
}
