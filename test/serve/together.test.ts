import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/session-choice.ts';
import { classifier } from './models.ts';
import { ask, binary, serving } from './server.ts';
import type { Served } from './server.ts';

// A request that no full batch takes along waits longer than a test may take.
const WAIT_MS = 120_000;

let server: Served;
beforeAll(async () => {
  server = await serving({ 'animals.onnx': classifier() }, { batch: { maxBatch: 8, maxDelayMs: WAIT_MS } });
});
afterAll(() => server.end());

async function infer(rows: readonly (readonly number[])[]): Promise<number[]> {
  const { body, headers } = binary({ x: rows }, { parameters: { binary_data_output: true } });
  const answer = await ask(server, '/v2/models/animals/infer', { body, headers });
  expect(answer.status).toBe(200);
  const length = Number(answer.headers['inference-header-content-length']);
  return [...new Float32Array(new Uint8Array(answer.body.subarray(length)).buffer)];
}

interface Stats {
  readonly inference_count: number;
  readonly execution_count: number;
  readonly batch_stats: readonly { readonly batch_size: number; readonly compute_infer: { readonly count: number } }[];
}

async function statistics(): Promise<Stats> {
  const { json } = await ask(server, '/v2/models/animals/stats');
  return (json.model_stats as Stats[])[0]!;
}

describe('requests that come together', () => {
  it('run in one call, and each has its own answer to the bit', async () => {
    const model = new InferenceModel(classifier(), 'animals.onnx', sessionOptions('cpu', { threads: 1 }));
    const alone = (row: readonly number[]): number[] => [
      ...(model.runNow({ x: { data: Float32Array.from(row), shape: [1, 4] } }).logits!.data as Float32Array),
    ];
    const rows = Array.from({ length: 40 }, (_, i) => [i / 7, -i, 1 / (i + 1), i % 3]);
    const requests = rows.map((row) => [row]);
    const before = await statistics();
    const answers = await Promise.all(requests.map(infer));
    answers.forEach((answer, i) => expect(answer).toEqual(requests[i]!.flatMap(alone)));
    const after = await statistics();
    expect(after.inference_count - before.inference_count).toBe(40);
    expect(after.execution_count - before.execution_count).toBe(5);
    expect(after.batch_stats).toMatchObject([{ batch_size: 8, compute_infer: { count: 5 } }]);
    model.dispose();
  });

  it('of more samples than a batch may have are refused', async () => {
    const rows = Array.from({ length: 9 }, () => [1, 2, 3, 4]);
    const input = { name: 'x', shape: [9, 4], datatype: 'FP32', data: rows };
    for (const [place, body] of [
      ['/v2/models/animals/infer', { inputs: [input] }],
      ['/v1/animals', { inputs: rows }],
    ] as const) {
      const { status, json } = await ask(server, place, { body });
      expect([status, json.error]).toEqual([400, 'model animals takes up to 8 samples in a request, received 9']);
    }
  });

  it('do not wait for others where the next one would not fit', async () => {
    const row = [1, 2, 3, 4];
    const ask = (samples: number) => infer(Array.from({ length: samples }, () => row));
    const first = ask(5);
    while (server.host.pending < 1) await new Promise((resolve) => setTimeout(resolve, 1));
    const second = ask(5);
    expect((await first).slice(-3)).toEqual((await first).slice(0, 3));
    // Three more fill the second.
    await Promise.all([second, ask(3)]);
  });
});
