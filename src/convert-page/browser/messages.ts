import type { ConversionOptions } from '../../convert/convert.ts';
import type { Inspected, Layer } from '../../convert/inspect.ts';
import type { OutputLikeness } from '../../convert/likeness.ts';

/** A file that the user has chosen. */
export type ChosenFile = Blob & { readonly name: string };

/** Scales of pictures: what a model is fed for the values 0 to 255 of a pixel. */
export const SCALES = ['0 to 1', '−1 to 1', 'ImageNet mean and deviation', '0 to 255'] as const;

/** Samples that calibrate a file and that it is compared on. */
export interface SampleChoice {
  /** Pictures, or one .npy or .npz file; none: random numbers. */
  readonly files: readonly ChosenFile[];
  readonly scale: (typeof SCALES)[number];
}

/** Model that the worker reads. */
export interface ChosenModel {
  readonly file: ChosenFile;
  /** Files with weights of an ONNX model. */
  readonly others: readonly ChosenFile[];
  /** Shapes of inputs that the file leaves open. */
  readonly shape: Readonly<Record<string, readonly (number | 'batch')[]>>;
}

/** Task of the worker: to describe a model, or, with `make`, to convert it. */
export interface Task {
  readonly model: ChosenModel;
  readonly make?: {
    readonly to: ConversionOptions['to'];
    readonly precision: NonNullable<ConversionOptions['precision']>;
    readonly samples: SampleChoice;
  };
}

/** Median milliseconds of a call with one sample. */
interface Latency {
  readonly source: number;
  readonly made: number;
}

export interface MadeFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
  readonly layers: readonly Layer[];
  /** Likeness to the source; absent where a runtime is missing. */
  readonly compared?: {
    readonly outputs: readonly OutputLikeness[];
    readonly samples: number;
    readonly isHeldOut: boolean;
    readonly beyond: readonly string[];
  };
  readonly latency?: Latency;
  /** Sentence on the samples. */
  readonly worth: string;
  readonly seconds: number;
}

/** Failure in words; without a hint it is a fault of the program. */
export interface Failure {
  readonly message: string;
  readonly hint?: string;
}

export type Told =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly what: string; readonly done: number; readonly total: number }
  | { readonly kind: 'inspected'; readonly inspected: Inspected }
  | { readonly kind: 'made'; readonly made: MadeFile }
  | { readonly kind: 'failed'; readonly failure: Failure };
