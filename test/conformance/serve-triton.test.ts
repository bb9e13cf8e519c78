import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ShippedModel } from '../../src/ship/cluster/model.ts';
import { tritonConfig } from '../../src/consumers/triton/config.ts';
import { pbtxt } from '../../src/consumers/triton/pbtxt.ts';
import { runPython } from './python.ts';

const DTYPES = ['float32', 'float16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'] as const;
const curve = { fixedMs: 2, perSampleMs: 1, sizes: [1, 8, 32], threads: 2, device: 'cpu', memoryBytes: undefined };
const base: ShippedModel = {
  name: 'bags',
  bytes: new Uint8Array(),
  inputs: DTYPES.map((dtype) => ({ name: `in "${dtype}" é\\\n\u0085`, dtype, shape: ['batch', 28, ''] })),
  outputs: [
    { name: 'logits', dtype: 'float32', shape: ['batch', 3] },
    { name: 'sure', dtype: 'bool', shape: ['batch'] },
  ],
  ...{ joins: true, labels: ['cat', 'dog', 'hen'], curve },
};
const known: ShippedModel = { ...base, inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 28, 28, 1] }] };

/** What Triton's own protobuf reads is what was meant, field by field, and knows every name and enum. */
it("is read by Triton's protobuf as it was meant", async () => {
  const models = [base, known, { ...known, curve: undefined }, { ...known, joins: false }];
  const cases = models.flatMap((model) =>
    (['cpu', 'gpu', 'tensorrt'] as const).map((target) => tritonConfig(model, { target, precision: 'fp16' })),
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'triton-'));
  try {
    const written = cases.map((config) => ({ text: `# a comment\n${pbtxt(config)}`, config }));
    await writeFile(path.join(folder, 'cases.json'), JSON.stringify(written));
    expect(runPython('serve_triton.py', folder)).toEqual({ problems: [], read: 12 });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
