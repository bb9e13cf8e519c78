import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { Writer } from './wire.ts';

/** Field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto, graph.proto and tensor.proto. */
const FLOAT = 1;
const INT32 = 3;

type Shape = readonly number[];
interface Info {
  readonly tensor: string;
  /** -1: open. */
  readonly shape: Shape;
}
export interface Signature {
  readonly inputs: Readonly<Record<string, Info>>;
  readonly outputs: Readonly<Record<string, Info>>;
}

export interface SavedNode {
  readonly name: string;
  readonly op: string;
  readonly inputs?: readonly string[];
  /** Attributes that hold types. */
  readonly types?: Readonly<Record<string, number>>;
  readonly shape?: Shape;
  readonly value?: { readonly shape: Shape; readonly data: Float32Array | Int32Array };
}

const entry = (w: Writer, field: number, key: string, value: (inner: Writer) => void): void => {
  w.message(field, (map) => map.string(1, key).message(2, value));
};

const shapeTo = (w: Writer, field: number, shape: Shape): void => {
  w.message(field, (s) => shape.forEach((size) => s.message(2, (dim) => dim.int(1, size))));
};

function nodeTo(w: Writer, { name, op, inputs = [], types = {}, shape, value }: SavedNode): void {
  w.string(1, name).string(2, op);
  for (const input of inputs) w.string(3, input);
  for (const [key, type] of Object.entries(types)) entry(w, 5, key, (attr) => attr.int(6, type));
  if (shape !== undefined) entry(w, 5, 'shape', (attr) => shapeTo(attr, 7, shape));
  if (value === undefined) return;
  const dtype = value.data instanceof Int32Array ? INT32 : FLOAT;
  entry(w, 5, 'dtype', (attr) => attr.int(6, dtype));
  entry(w, 5, 'value', (attr) =>
    attr.message(8, (tensor) => {
      tensor.int(1, dtype);
      shapeTo(tensor, 2, value.shape);
      tensor.bytes(4, bytesOf(value.data));
    }),
  );
}

function infosTo(w: Writer, field: number, infos: Signature['inputs']): void {
  for (const [key, { tensor, shape }] of Object.entries(infos))
    entry(w, field, key, (info) => shapeTo(info.string(1, `${tensor}:0`).int(2, FLOAT), 3, shape));
}

/** Writes a SavedModel without variables, as a frozen graph is saved. */
export async function writeSavedModel(
  folder: string,
  nodes: readonly SavedNode[],
  signatures: Readonly<Record<string, Signature>>,
): Promise<void> {
  const w = new Writer();
  w.int(1, 1).message(2, (meta) => {
    meta.message(1, (info) => info.string(4, 'serve'));
    meta.message(2, (graph) => {
      for (const node of nodes) graph.message(1, (n) => nodeTo(n, node));
      graph.message(4, (versions) => versions.int(1, 1286));
    });
    for (const [name, { inputs, outputs }] of Object.entries(signatures))
      entry(meta, 5, name, (signature) => {
        infosTo(signature, 1, inputs);
        infosTo(signature, 2, outputs);
        signature.string(3, 'tensorflow/serving/predict');
      });
  });
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'saved_model.pb'), w.finish());
}

/**
 * A net of one layer: images [n, 2, 2, 1] to 3 classes, `weights` [4, 3]. Signature `serving_default` gives `logits` and
 * `flat`, what the layer sees; signature `chances` gives probabilities.
 */
export async function writeLinearModel(folder: string, weights: Float32Array): Promise<void> {
  const images: Info = { tensor: 'images', shape: [-1, 2, 2, 1] };
  const T = { T: FLOAT };
  await writeSavedModel(
    folder,
    [
      { name: 'images', op: 'Placeholder', types: { dtype: FLOAT }, shape: images.shape },
      { name: 'size', op: 'Const', value: { shape: [2], data: Int32Array.of(-1, 4) } },
      { name: 'weights', op: 'Const', value: { shape: [4, 3], data: weights } },
      { name: 'flat', op: 'Reshape', inputs: ['images', 'size'], types: { ...T, Tshape: INT32 } },
      { name: 'logits', op: 'MatMul', inputs: ['flat', 'weights'], types: T },
      { name: 'softmax', op: 'Softmax', inputs: ['logits'], types: T },
    ],
    {
      serving_default: {
        inputs: { images },
        outputs: { logits: { tensor: 'logits', shape: [-1, 3] }, flat: { tensor: 'flat', shape: [-1, 4] } },
      },
      chances: { inputs: { images }, outputs: { probabilities: { tensor: 'softmax', shape: [-1, 3] } } },
    },
  );
}
