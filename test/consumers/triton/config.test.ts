import type { ShippedModel } from '../../../src/ship/cluster/model.ts';
import { tritonConfig } from '../../../src/consumers/triton/config.ts';
import { entries, pbtxt, word } from '../../../src/consumers/triton/pbtxt.ts';
import { tritonFiles } from '../../../src/consumers/triton/repository.ts';

const curve = { fixedMs: 2, perSampleMs: 1, sizes: [1, 8, 32], threads: 2, device: 'cpu', memoryBytes: undefined };
const model: ShippedModel = {
  name: 'bags',
  bytes: new Uint8Array([1]),
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 28, 28, 1] }],
  outputs: [
    { name: 'logits', dtype: 'float16', shape: ['batch', 3] },
    { name: 'sure', dtype: 'bool', shape: ['batch'] },
  ],
  ...{ joins: true, labels: ['cat', 'dog', 'hen'], curve },
};
const cpu = { target: 'cpu', precision: 'fp32' } as const;

describe('pbtxt', () => {
  it('prints fields, lists, messages, words and maps', () => {
    const map = entries({ k: 1 });
    expect(pbtxt({ a: 'x', b: [1, -1], c: { d: true, e: undefined }, f: word('KIND'), g: map, h: [] })).toBe(
      'a: "x"\nb: 1\nb: -1\nc {\n  d: true\n}\nf: KIND\ng {\n  key: "k"\n  value: 1\n}\n',
    );
  });

  it('escapes what would end or change a string', () => {
    expect(pbtxt({ a: 'é"\\\n\u0085' })).toBe('a: "é\\042\\134\\012\\302\\205"\n');
  });
});

describe('tritonConfig', () => {
  it('leaves the batch out of the shapes, and batches by the measured line', () => {
    expect(tritonConfig(model, cpu)).toMatchObject({
      ...{ name: 'bags', platform: 'onnxruntime_onnx', max_batch_size: 32 },
      input: [{ name: 'x', data_type: word('TYPE_FP32'), dims: [28, 28, 1] }],
      output: [
        { name: 'logits', data_type: word('TYPE_FP16'), dims: [3], label_filename: 'labels.txt' },
        { name: 'sure', data_type: word('TYPE_BOOL'), dims: [1], reshape: {}, label_filename: undefined },
      ],
      instance_group: [{ count: 1, kind: word('KIND_CPU') }],
      dynamic_batching: { preferred_batch_size: [18] },
      parameters: [{ key: 'intra_op_thread_count', value: { string_value: '2' } }],
    });
  });

  it('keeps whole shapes of a file whose requests cannot be put together', () => {
    const fixed = { ...model.inputs[0]!, shape: [1, 28, '', 1] };
    const config = tritonConfig({ ...model, joins: false, inputs: [fixed] }, cpu);
    expect(config).toMatchObject({ max_batch_size: 0, input: [{ dims: [1, 28, -1, 1] }], dynamic_batching: undefined });
  });

  it('prefers no size where nothing was measured', () => {
    const config = tritonConfig({ ...model, curve: undefined }, { target: 'gpu', precision: 'fp32' });
    expect(pbtxt(config)).toContain('dynamic_batching {\n}\n');
    expect(config).toMatchObject({
      max_batch_size: 4,
      instance_group: [{ kind: word('KIND_GPU') }],
      parameters: undefined,
    });
  });

  it.each([
    ['fp32', 'FP32'],
    ['fp16', 'FP16'],
    ['int8', 'INT8'],
  ])('has TensorRT compute %s as %s, and warm up for the smallest and the largest batch', (precision, mode) => {
    const config = tritonConfig(model, { target: 'tensorrt', precision });
    expect(pbtxt(config)).toContain(`key: "precision_mode"\n        value: "${mode}"`);
    expect(config.model_warmup).toMatchObject([{ batch_size: 1 }, { batch_size: 32 }]);
  });
});

it('writes a folder of the repository, with the line in words', () => {
  const files = tritonFiles(model, cpu);
  expect([...files.keys()]).toEqual(['config.pbtxt', '1/model.onnx', 'labels.txt']);
  expect(files.get('config.pbtxt')).toMatch(/^# A call of n samples takes 2\.000 \+ 1\.000 \* n ms \(cpu, 2 threads, /);
  expect(files.get('labels.txt')).toBe('cat\ndog\nhen\n');
  const alone = tritonFiles({ ...model, joins: false, alone: 'the batch is 1' }, cpu).get('config.pbtxt');
  expect(alone).toMatch(/^# Requests are not put together: the batch is 1\.\n/);
});
