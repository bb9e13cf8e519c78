import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zipSync } from 'fflate';
import { readModel as readKeras } from '../../../../src/files/formats/keras/keras-file.ts';
import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { InferenceModel } from '../../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../../src/runtime/onnxruntime/session-choice.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { expectClose } from '../../../support/graphs.ts';
import { hdf5 } from '../../../support/hdf5.ts';
import type { Hdf5Content } from '../../../support/hdf5.ts';

const folder = temporaryFolder();

type Json = Readonly<Record<string, unknown>>;

const KERNEL = { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] };
const BIAS = { shape: [3], values: [0.5, 0, -0.5] };

const input = { class_name: 'InputLayer', config: { name: 'x', batch_shape: [null, 2], dtype: 'float32' } };
const dense = (more: Json = {}): Json => ({
  class_name: 'Dense',
  config: { name: 'fc', trainable: true, units: 3, activation: 'linear', use_bias: true, ...more },
});
const sequential = (...layers: readonly Json[]): Json => ({
  class_name: 'Sequential',
  config: { name: 'm', layers: [input, ...layers] },
});
const ARCHIVED: Hdf5Content = { 'layers/dense/vars/0': KERNEL, 'layers/dense/vars/1': BIAS };

/** A value as JSON, or a text that is JSON. */
const bytesOf = (json: unknown): Uint8Array =>
  new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));

/** A .keras archive; undefined leaves a part out. */
async function archive(config: unknown, weights: Hdf5Content | Uint8Array = ARCHIVED): Promise<string> {
  const stored = weights instanceof Uint8Array ? weights : await hdf5(weights);
  const file = path.join(folder(), 'model.keras');
  const entries = { 'metadata.json': bytesOf({ keras_version: '3.15.1' }), 'model.weights.h5': stored };
  await writeFile(file, zipSync(config === undefined ? entries : { ...entries, 'config.json': bytesOf(config) }));
  return file;
}

/** An HDF5 file with an array of zeros, packed. */
async function zeros(count: number): Promise<Uint8Array> {
  const { File, ready } = await import('h5wasm');
  const { FS } = await ready;
  const file = new File('zeros.h5', 'w');
  const some = count / 100;
  const array = { name: 'w', data: new Float32Array(some), shape: [some], maxshape: [count], chunks: [some] };
  file.create_dataset({ ...array, compression: 'gzip' }).resize([count]);
  file.close();
  return FS.readFile('zeros.h5');
}

async function whole(
  config: unknown,
  weights: Hdf5Content,
  version = '2.15.0',
  names?: readonly string[],
): Promise<string> {
  const listed = names ?? Object.keys(weights).map((name) => name.replace('model_weights/fc/', ''));
  const bytes = await hdf5(weights, {
    '/': { model_config: JSON.stringify(config), keras_version: version },
    'model_weights/fc': { weight_names: listed },
  });
  const file = path.join(folder(), 'model.h5');
  await writeFile(file, bytes);
  return file;
}

async function answers(file: string, x: readonly number[]): Promise<ArrayLike<number>> {
  const model = await readKeras(file);
  const session = new InferenceModel(encodeModel(model), file, sessionOptions('cpu', {}));
  const feeds = {
    [model.graph.inputs[0]!.name]: { dtype: 'float32' as const, shape: [1, x.length], data: Float32Array.from(x) },
  };
  const [result] = Object.values(session.runNow(feeds));
  session.dispose();
  return result!.data as Float32Array;
}

describe('a file of Keras', () => {
  const LEGACY = { 'model_weights/fc/fc/kernel:0': KERNEL, 'model_weights/fc/fc/bias:0': BIAS };

  it('answers as an archive and as HDF5', async () => {
    const expected = [9.5, 12, 14.5];
    expectClose(await answers(await archive(sequential(dense())), [1, 2]), expected);
    expectClose(await answers(await whole(sequential(dense()), LEGACY), [1, 2]), expected);
  });

  it('has a hard sigmoid as its version of Keras computes it', async () => {
    const model = sequential(dense({ activation: 'hard_sigmoid', units: 1 }));
    const one = { shape: [2, 1], values: [1, 0] };
    const zero = { shape: [1], values: [0] };
    const legacy = { 'model_weights/fc/fc/kernel:0': one, 'model_weights/fc/fc/bias:0': zero };
    expectClose(await answers(await whole(model, legacy), [1, 0]), [0.7]);
    const archived = { 'layers/dense/vars/0': one, 'layers/dense/vars/1': zero };
    expectClose(await answers(await archive(model, archived), [1, 0]), [2 / 3]);
  });

  it('gives its weights the names of its layers', async () => {
    const { graph } = await readKeras(await archive(sequential(dense())));
    expect(graph.initializers.map(({ name, dims }) => [name, dims])).toEqual([['fc/kernel', [2, 3]], ['fc/bias', [3]]]); // prettier-ignore
  });

  it('is read in the calls of Keras 2 and 3', async () => {
    const tensor = (layer: string): Json => ({
      class_name: '__keras_tensor__',
      config: { keras_history: [layer, 0, 0] },
    });
    const functional = (nodes: unknown, sum: unknown, added: Json = { trainable: true }): Json => ({
      class_name: 'Functional',
      config: {
        name: 'm',
        layers: [
          { ...input, name: 'x', inbound_nodes: [] },
          { ...dense(), name: 'fc', inbound_nodes: nodes },
          { class_name: 'Add', config: { name: 'sum', ...added }, name: 'sum', inbound_nodes: sum },
        ],
        input_layers: [['x', 0, 0]],
        output_layers: [['sum', 0, 0]],
      },
    });
    const third = functional(
      [{ args: [tensor('x')], kwargs: {} }],
      [{ args: [[tensor('fc'), tensor('fc')]], kwargs: {} }],
    );
    const second = functional([[['x', 0, 0, {}]]], [[['fc', 0, 0, {}], ['fc', 0, 0, {}]]]); // prettier-ignore
    expectClose(await answers(await archive(third), [1, 2]), [19, 24, 29]);
    expectClose(await answers(await whole(second, LEGACY), [1, 2]), [19, 24, 29]);
    // Keras 3 writes an addition of keras.ops to HDF5 like this, and cannot read it.
    const operation = functional([{ args: [tensor('x')], kwargs: {} }], [{ args: [tensor('fc'), 3], kwargs: {} }], {});
    expectClose(await answers(await whole(operation, LEGACY, '3.15.1'), [1, 2]), [12.5, 15, 17.5]);
  });
});

describe('is refused with its file', () => {
  const layer = (className: string, config: Json = {}): Json => ({
    class_name: className,
    config: { name: 'odd', ...config },
  });
  it.each<[string, string | RegExp, () => Promise<string>]>([
    ['no archive', /model\.keras: is no archive of Keras, or a damaged one/, async () => { const file = path.join(folder(), 'model.keras'); await writeFile(file, 'text'); return file; }], // prettier-ignore
    ['an archive without a configuration', 'has no config.json in it', () => archive(undefined)],
    [
      'weights that are no HDF5',
      'is no HDF5 file, or a damaged one',
      () => archive(sequential(dense()), new Uint8Array(900)),
    ],
    [
      'weights cut off',
      'is no HDF5 file, or a damaged one',
      async () => archive(sequential(dense()), (await hdf5(ARCHIVED)).subarray(0, 500)),
    ],
    ['a configuration that is a list', 'expected the configuration of a model', () => archive([])],
    [
      'a model of a Python class',
      'the model is of the Python class Net',
      () => archive({ class_name: 'Net', config: { name: 'n' } }),
    ],
    [
      'a registered class',
      'Mine>Dense (layer fc) is a class of your own code',
      () => archive(sequential({ ...dense(), registered_name: 'Mine>Dense' })),
    ],
    [
      'a class of a foreign module',
      'is a class of your own code',
      () => archive(sequential({ ...dense(), module: 'mine' })),
    ],
    ['a Lambda', 'layer odd (Lambda): computes by a Python function', () => archive(sequential(layer('Lambda')))],
    [
      'an unknown layer',
      'layer odd (Hashing): is a layer that Limbeck does not compute',
      () => archive(sequential(layer('Hashing'))),
    ],
    [
      'a setting that is not known',
      'layer fc (Dense): cannot compute with some_key "on"',
      () => archive(sequential(dense({ some_key: 'on' }))),
    ],
    [
      'an unknown activation',
      'layer fc (Dense): cannot compute with activation "mine"',
      () => archive(sequential(dense({ activation: 'mine' }))),
    ],
    [
      'channels first',
      'cannot compute with data_format "channels_first"',
      () => archive(sequential(layer('Flatten', { data_format: 'channels_first' }))),
    ],
    [
      'masked ids',
      'cannot compute with mask_zero true',
      () => archive(sequential(layer('Embedding', { input_dim: 3, output_dim: 2, mask_zero: true }))),
    ],
    [
      'a missing weight',
      'layer fc (Dense): its weight bias is missing in the file',
      () => archive(sequential(dense()), { 'layers/dense/vars/0': KERNEL }),
    ],
    [
      'no weights',
      'layer fc (Dense): its weight kernel is missing in the file',
      () => archive(sequential(dense()), {}),
    ],
    [
      'a weight too many',
      'has 3 arrays of weights, expected 2',
      () => archive(sequential(dense()), { ...ARCHIVED, 'layers/dense/vars/2': BIAS }),
    ],
    [
      'a weight of another shape',
      'expected its weight kernel of shape [2, 3], received [3]',
      () => archive(sequential(dense()), { 'layers/dense/vars/0': BIAS, 'layers/dense/vars/1': BIAS }),
    ],
    [
      'weights that are not numbered',
      'are not numbered from 0',
      () => archive(sequential(dense()), { 'layers/dense/vars/1': KERNEL, 'layers/dense/vars/2': BIAS }),
    ],
    [
      'an input without a shape',
      'has no shape',
      () => archive({ class_name: 'Sequential', config: { name: 'm', layers: [dense()] } }),
    ],
    [
      'texts as its input',
      'is of the type string, expected numbers',
      () =>
        archive({
          class_name: 'Sequential',
          config: {
            name: 'm',
            layers: [
              { class_name: 'InputLayer', config: { name: 'x', batch_shape: [null, 1], dtype: 'string' } },
              dense(),
            ],
          },
        }),
    ],
    [
      'weights that become much larger than they are packed',
      'its model.weights.h5 becomes 101 MB of ',
      () => archive(sequential(dense()), new Uint8Array(101e6)),
    ],
    [
      'arrays that become much larger than they are packed',
      'has 100000000 elements, more than the file can hold',
      async () => {
        const file = path.join(folder(), 'm.h5');
        await writeFile(file, await zeros(100_000_000));
        return file;
      },
    ],
    [
      'models in models without an end',
      'its configuration is no JSON: nested more than 500 deep',
      () =>
        archive(
          `${'{"class_name":"Sequential","config":{"name":"m","layers":['.repeat(20_000)}${']}}'.repeat(20_000)}`,
        ),
    ],
    [
      'more layers than the stack has room for',
      'its layers are too many, or models stand in models too deeply',
      () =>
        archive(
          sequential(
            ...Array.from({ length: 60_000 }, (_, i) => ({
              class_name: 'Activation',
              config: { name: `a${i}`, activation: 'relu' },
            })),
          ),
        ),
    ],
    [
      'weights alone',
      'holds no whole model',
      async () => {
        const file = path.join(folder(), 'w.h5');
        await writeFile(file, await hdf5({ 'fc/kernel': KERNEL }));
        return file;
      },
    ],
    [
      'a listed weight that is not there',
      'the weight fc/gone:0 of the layer fc is missing',
      () =>
        whole(sequential(dense()), { 'model_weights/fc/fc/kernel:0': KERNEL }, '2.15.0', ['fc/kernel:0', 'fc/gone:0']),
    ],
    [
      'a tensor of a layer that is not there',
      'the outputs of the model are [["gone",0,0]]',
      () =>
        archive({
          class_name: 'Functional',
          config: {
            name: 'm',
            layers: [{ ...input, inbound_nodes: [] }],
            input_layers: [['x', 0, 0]],
            output_layers: [['gone', 0, 0]],
          },
        }),
    ],
  ])('%s', async (_, message, write) => {
    const file = await write();
    const attempt = readKeras(file);
    await expect(attempt).rejects.toMatchObject({ name: 'UserError', hint: expect.stringMatching(/Keras/) as string });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(file);
  });
});
