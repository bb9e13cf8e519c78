import type { DeviceName } from '../../recipe/engines.ts';
import type { DType } from '../../graph/types.ts';
import type { Batching, ModelFacts } from '../../measure/batching/facts.ts';

/** A tensor in the body of a message, one after another in this order. */
export interface TensorHead {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** One model, its file in the body. All come before `start`. */
export interface ModelMessage {
  readonly type: 'model';
  readonly key: string;
  readonly fileName: string;
  /** Bytes of the file; the body may be padded. */
  readonly bytes: number;
  /** Batching that an earlier worker has found out. */
  readonly batching?: Batching;
  /** Most samples of a batch that will be asked for. */
  readonly maxBatch: number;
  /** Sizes of one sample, for inputs that leave other sizes open than that of the batch. */
  readonly sampleShape?: readonly number[];
}

/** Load the models; the answer is `ready` or `failed`. */
export interface StartMessage {
  readonly type: 'start';
  readonly device: DeviceName | 'auto';
  readonly threads: number;
  /** Bytes of memory that calls may take besides what the models take; a call that takes more ends the process. */
  readonly callBytes: number;
}

export interface RunMessage {
  readonly type: 'run';
  readonly id: number;
  readonly key: string;
  readonly inputs: readonly TensorHead[];
  readonly outputs: readonly string[];
  /** Bytes that all outputs together may have. */
  readonly mostBytes: number;
}

export type ToWorker = ModelMessage | StartMessage | RunMessage;

export interface Resources {
  readonly rssBytes: number;
  readonly cpuSeconds: number;
}

export interface ReadyMessage extends Resources {
  readonly type: 'ready';
  readonly device: string;
  readonly models: Readonly<Record<string, ModelFacts>>;
}

/** A model could not be loaded: the two parts of a `UserError`. */
interface FailedMessage {
  readonly type: 'failed';
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

export interface DoneMessage extends Resources {
  readonly type: 'done';
  readonly id: number;
  readonly outputs: readonly TensorHead[];
  /** Milliseconds: reading and placing the inputs, running, and what came after until this message was written. */
  readonly inputMs: number;
  readonly inferMs: number;
}

interface ErrorMessage {
  readonly type: 'error';
  readonly id: number;
  readonly message: string;
}

export type FromWorker = ReadyMessage | FailedMessage | DoneMessage | ErrorMessage;
