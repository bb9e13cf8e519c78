import type { OnnxContent } from '../../formats/onnx/large.ts';
import type { InferenceTensor } from '../../runtime/inference.ts';

/** A model that a runtime has loaded. */
export interface OpenedModel {
  readonly run: (
    feeds: Readonly<Record<string, InferenceTensor>>,
  ) => Promise<Readonly<Record<string, InferenceTensor>>>;
  readonly dispose: () => void;
}

/** Loads an ONNX model in the runtime that the caller has; `label` names the model in messages. */
export type OpenModel = (model: OnnxContent, label: string) => OpenedModel | Promise<OpenedModel>;
