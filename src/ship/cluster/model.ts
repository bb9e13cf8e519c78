import { shown, UserError } from '../../base/errors.ts';
import type { TensorSpec } from '../../graph/types.ts';
import type { UsualAnswers } from '../../measure/usual-answers.ts';
import type { Curve } from './curve.ts';

/** An ONNX file that is to be served elsewhere, and what is known of it. */
export interface ShippedModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** True if requests may be put together: the first size is a batch of any size, and samples do not change each other's answers. */
  readonly joins: boolean;
  /** Reason why not, for the reader of the files. */
  readonly alone?: string;
  readonly labels?: readonly string[];
  readonly usual?: UsualAnswers;
  /** Measurements on the kind of device that the model is to run on. */
  readonly curve: Curve | undefined;
}

/** Such a folder in messages. */
export const CLUSTERS = 'the folder of a server';

/** Kind of device that the model is to run on. */
export type Target = 'cpu' | 'gpu' | 'tensorrt';

/** Devices of a report whose figures hold there. */
export const MEASURED_ON: Readonly<Record<Target, readonly string[]>> = {
  cpu: ['cpu'],
  gpu: ['cuda'],
  tensorrt: ['tensorrt'],
};

/** Names are parts of addresses, of folders and of queries: such as `limbeck serve` takes. */
export function checkedName(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name)) return name;
  throw new UserError(
    `${shown(name)} cannot be the name of a model: expected letters, digits, _ . and - alone`,
    'Rename the folder of the run.',
  );
}
