import * as tf from '@tensorflow/tfjs-core';
import { firstLine, nearest, UserError } from '../../base/errors.ts';
import { staticShape } from '../../graph/shapes.ts';
import type { InferenceTensor, ModelValue } from '../../runtime/inference.ts';
import { createTensorFlowEngine, onTensorFlow } from '../../places/tensorflow/engine.ts';
import type { SignatureDef, TensorFlowLibrary, TensorInfo, TfSavedModel } from '../../places/tensorflow/addon.ts';
import { loadTensorFlow } from '../../places/tensorflow/addon.ts';

/** Tag of serving graphs in TensorFlow's and Keras' SavedModels. */
const TAG = 'serve';
/** Name of the output that comes first if it exists. */
const LOGITS = 'logits';

/** A TensorFlow SavedModel for inference by libtensorflow. */
export class SavedModel {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly device: string;
  readonly #model: TfSavedModel;

  private constructor(model: TfSavedModel, device: string, { inputs, outputs }: SignatureDef) {
    this.#model = model;
    this.device = device;
    this.inputs = valuesOf(inputs);
    // A signature's outputs are unordered: protobuf sorts them by name.
    this.outputs = [...valuesOf(outputs)].sort((a, b) => Number(b.name === LOGITS) - Number(a.name === LOGITS));
  }

  /** `UserError` if libtensorflow is not installed, the folder holds no SavedModel, or the signature does not exist. */
  static async load(folder: string, signature: string): Promise<SavedModel> {
    const library = installed(folder);
    const { device } = createTensorFlowEngine();
    try {
      const definition = await definitionOf(library, folder, signature);
      // tfjs-node asks for its backend before its first await.
      const model = await onTensorFlow(() => library.loadSavedModel(folder, [TAG], signature));
      return new SavedModel(model, device, definition);
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(
        `${folder}: TensorFlow ${library.version} cannot load this SavedModel: ${firstLine(error)}`,
        'Name the folder that holds saved_model.pb and variables/, as model.export() of Keras writes it.',
        { cause: error },
      );
    }
  }

  /** Computes the outputs. float32 is kept, other types become int32. */
  async run(
    feeds: Readonly<Record<string, InferenceTensor>>,
    wanted: readonly string[] = this.outputs.map(({ name }) => name),
  ): Promise<Readonly<Record<string, InferenceTensor>>> {
    await new Promise((resolve) => setImmediate(resolve));
    return onTensorFlow(() => {
      const inputs = Object.fromEntries(
        this.inputs.map(({ name, dtype }) => {
          const { data, shape } = feeds[name]!;
          return [name, tf.tensor(data as Float32Array, [...staticShape(shape, name)], dtype as 'float32')];
        }),
      );
      const results = this.#model.predict(inputs);
      const read = wanted.map((name): [string, InferenceTensor] => {
        const { shape } = results[name]!;
        return [name, { data: results[name]!.dataSync(), shape }];
      });
      tf.dispose([inputs, results]);
      return Object.fromEntries(read);
    });
  }

  dispose(): void {
    this.#model.dispose();
  }
}

function installed(folder: string): TensorFlowLibrary {
  try {
    return loadTensorFlow();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${folder}: a SavedModel needs TensorFlow's library, which cannot be used: ${error.message}`,
      'Run npm run setup:tensorflow; or convert it (python -m tf2onnx.convert --saved-model DIR --output teacher.onnx) ' +
        'and use `teacher.onnx`.',
      { cause: error },
    );
  }
}

async function definitionOf(library: TensorFlowLibrary, folder: string, signature: string): Promise<SignatureDef> {
  const graph = (await library.metaGraphsOf(folder)).find(({ tags }) => tags.includes(TAG));
  if (graph === undefined)
    throw new UserError(`${folder}: it has no part with the tag ${TAG}`, 'Save the model with tf.saved_model.save.');
  const known = Object.keys(graph.signatureDefs);
  const found = known.includes(signature) ? graph.signatureDefs[signature] : undefined;
  if (found !== undefined) return found;
  const meant = nearest(signature, known);
  throw new UserError(
    `teacher.signature: ${folder} has no signature ${signature}`,
    meant === undefined ? `It has: ${known.join(', ') || 'none'}.` : `Did you mean ${meant}?`,
  );
}

function valuesOf(infos: Readonly<Record<string, TensorInfo>>): ModelValue[] {
  return Object.entries(infos).map(([name, { dtype, shape }]) => ({
    name,
    dtype: dtype as ModelValue['dtype'],
    shape: shape.map((dim) => (dim.getSize() < 0 ? '' : dim.getSize())),
  }));
}
